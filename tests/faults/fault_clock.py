"""One server's clock is two minutes fast: it costs a student that difference once, and the server is found out."""

import asyncio
import contextlib
import time

from tests.faults import truth
from tests.faults.machines import SECONDS
from tests.faults.students import API, Connection, Student, Tally

AHEAD = 120  # seconds; `fast_clock.py`
ROUNDS = 10


async def health(port):
    """The answer of /healthz, once the process answers anything."""
    deadline = time.monotonic() + SECONDS
    while True:
        connection = Connection(port)
        try:
            with contextlib.suppress(OSError, EOFError):
                status, _, answer = await connection.ask("GET", "/healthz")
                return status, answer
        finally:
            connection.close()
        assert time.monotonic() < deadline, "the second server does not start"
        await asyncio.sleep(0.1)


async def between_two_clocks(site, stage, exam, fast_port):
    right, fast = (Student(port, stage["tokens"][0], Tally(), seed=7) for port in (site.port, fast_port))
    begin = time.monotonic()
    await right.begin(exam["slug"])
    fast.attempt, fast.items = right.attempt, right.items
    fast.acknowledged = right.acknowledged
    moments = []
    for _ in range(ROUNDS):
        for student in (right, fast):
            await student.save()
            told = await student.insist("PUT", f"{API}/attempts/{student.attempt}/heartbeat/")
            moments.append(told["last_started_time"])
            assert truth.seconds(told["time_taken"]) + truth.seconds(told["remaining_time"]) == 3 * 3600
        # A resume, as after a pause, must not give the time back to be charged again.
        await right.insist("PUT", f"{API}/attempts/{right.attempt}/start/")
    await right.end()
    elapsed = time.monotonic() - begin
    for student in (right, fast):
        student.connection.close()
    return right, moments, elapsed


def test_a_clock_two_minutes_off_costs_that_once(site, stage, exam, database):
    port, process = site.beside("tests.faults.fast_clock:application")
    try:
        healths = [asyncio.run(health(each)) for each in (site.port, port)]
        student, moments, elapsed = asyncio.run(between_two_clocks(site, stage, exam, port))
    finally:
        process.terminate()
        process.wait(SECONDS)

    assert healths[0] == (200, {"status": "ok"})
    status, answer = healths[1]
    words, _, rest = answer["status"].partition(" by ")
    assert (status, words) == (503, "clock differs from the database's")
    assert abs(float(rest.removesuffix(" seconds")) - AHEAD) < 2
    assert moments == sorted(moments)
    assert AHEAD - 1 <= truth.seconds(student.result["time_taken"]) <= AHEAD + elapsed + 1
    with database() as connection:
        assert truth.lost_answers(connection, [student]) == []
        assert truth.half_ended(connection) == []
    assert truth.wrong_results([student], stage["key"]) == []
