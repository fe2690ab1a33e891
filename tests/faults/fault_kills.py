"""Whatever is killed while 200 students start, save and end: what they were told is kept is kept, and graded."""

import asyncio
import time

import pytest

from tests.faults import truth
from tests.faults.conftest import SECONDS
from tests.faults.students import API, Hour

# While a third of the students have done the step. Each is a moment of its own: what is half done differs.
MOMENTS = ["starting", "saving", "ending"]


async def hour(site, stage, exam, database, fault, *, then=None):
    """All students start, save and end; the fault comes at each of the MOMENTS, and `then` when its work is undone."""

    async def strike():
        await asyncio.to_thread(fault)
        struck = time.monotonic()
        if then:
            await asyncio.sleep(min(SECONDS / 4, 6))
            await asyncio.to_thread(then)
        return struck

    async with Hour(site.port, stage["tokens"], exam["slug"]) as students:
        third = len(students.students) // 3
        students.tally.part = "starting"
        await students.until(lambda: students.started >= third, "nobody starts")
        await strike()
        await students.until(lambda: students.started == len(students.students), "somebody cannot start")

        students.tally.part = "saving"
        await asyncio.sleep(SECONDS / 2)
        await students.everybody_has_saved_since(await strike())
        await asyncio.sleep(SECONDS / 2)
        await students.hold()
        with database() as connection:
            assert truth.lost_answers(connection, students.students) == []
            assert truth.two_running(connection) == []
            assert truth.half_ended(connection) == []

        students.tally.part = "ending"
        ends = asyncio.create_task(students.all_end())
        await students.until(lambda: students.ended >= third, "nobody ends")
        await strike()
        await ends

    return students


def check_the_end(students, stage, exam, database):
    with database() as connection:
        assert truth.lost_answers(connection, students.students) == []
        assert truth.two_running(connection) == []
        assert truth.half_ended(connection) == []
        assert truth.wrong_results(students.students, stage["key"]) == []
        states = connection.execute(
            "SELECT count(*), count(DISTINCT user_id), min(state), max(state) FROM attempts_attempt WHERE exam_id = %s",
            [exam["id"]],
        ).fetchone()
        assert states == (len(stage["tokens"]), len(stage["tokens"]), "Completed", "Completed")
        ranks = truth.ranks(connection, exam["id"])
    for student in students.students:
        told = student.result
        assert truth.seconds(told["time_taken"]) + truth.seconds(told["remaining_time"]) == 3 * 3600
    return ranks


def report(students, name):
    tally = students.tally
    errors = {part: sum(tally.failed_in(part).values()) for part in MOMENTS}
    print(f"\n{name}: {tally.saves} saves; failed calls {errors}; longest until a call succeeded, seconds: ", end="")
    print({part: round(tally.most(part), 1) for part in MOMENTS})
    for (part, what), count in tally.errors.most_common(6):
        print(f"    {count} × {part}: {what}")


@pytest.mark.parametrize("fault", ["kill_a_worker", "kill_all"])
def test_server_processes_are_killed(fault, site, stage, exam, database):
    students = asyncio.run(hour(site, stage, exam, database, getattr(site, fault)))

    report(students, fault)
    ranks = check_the_end(students, stage, exam, database)
    told = {answer["id"]: (answer["rank"], answer["max_rank"]) for answer in asyncio.run(look(students))}
    assert told == {pk: (rank, len(ranks)) for pk, rank in ranks.items()}


async def look(students):
    """The attempts as their students read them afterwards."""
    try:
        return [await student.insist("GET", f"{API}/attempts/{student.attempt}/") for student in students.students]
    finally:
        for student in students.students:
            student.connection.close()


def test_postgresql_is_stopped_without_a_chance_to_finish(site, stage, exam, database):
    students = asyncio.run(hour(site, stage, exam, database, site.postgres.stop, then=site.postgres.start))

    report(students, "PostgreSQL stopped")
    check_the_end(students, stage, exam, database)


@pytest.mark.parametrize(("fault", "then"), [("kill", "start"), ("hang", "go_on")])
def test_redis_is_gone(fault, then, site, stage, exam, database):
    """Nobody should notice: not one call may fail, or take much longer."""
    students = asyncio.run(
        hour(site, stage, exam, database, getattr(site.redis, fault), then=getattr(site.redis, then))
    )

    report(students, f"Redis: {fault}")
    check_the_end(students, stage, exam, database)
    assert students.tally.errors == {}
