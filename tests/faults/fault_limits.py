"""What is used up or told to stop: connections, the disk, the server itself."""

import asyncio
import base64
import contextlib
import os
import signal
import socket
import subprocess
import time
from io import BytesIO

import pytest
from PIL import Image

from tests.faults.machines import SECONDS
from tests.faults.students import API, Connection, Student, Tally

IDLE = 1500  # connections that nobody uses
SAVERS = 20
LIMIT = 40  # seconds; serve.STOP_TIMEOUT


# --- Idle connections ------------------------------------------------------------------------------------------------


async def save_beside_idle_connections(site, stage, exam):
    idle = [Connection(site.port) for _ in range(IDLE)]
    tally = Tally()
    students = [Student(site.port, token, tally, seed) for seed, token in enumerate(stage["tokens"][:20])]
    try:
        for connection in idle:
            assert (await connection.ask("GET", "/livez"))[0] == 200
        await asyncio.gather(*[student.begin(exam["slug"]) for student in students])
        for _ in range(5):
            await asyncio.gather(*[student.save() for student in students])
        # And they are still of use.
        for connection in idle[::50]:
            assert (await connection.ask("GET", "/livez"))[0] == 200
    finally:
        for connection in [*idle, *[student.connection for student in students]]:
            connection.close()
    return tally


def test_idle_connections_keep_nobody_else_out(site, stage, exam):
    tally = asyncio.run(save_beside_idle_connections(site, stage, exam))

    print(f"\n{IDLE} idle connections: slowest call {max(took for _, took in tally.took):.2f} s")
    assert tally.errors == {}


# --- A class that logs in --------------------------------------------------------------------------------------------


async def save_while_a_class_logs_in(site, stage, exam):
    savers, log_ins = Tally(), Tally()
    students = [Student(site.port, token, savers, seed) for seed, token in enumerate(stage["tokens"][:SAVERS])]
    newcomers = [Student(site.port, "", log_ins, seed) for seed in range(len(stage["students"]) - SAVERS)]
    for newcomer in newcomers:
        newcomer.patient = True
    await asyncio.gather(*[student.begin(exam["slug"]) for student in students])
    is_over = asyncio.Event()

    async def save(student):
        while not is_over.is_set():
            await student.save()
            await asyncio.sleep(0.1)

    async def log_in(student, name):
        answer = await student.insist("POST", f"{API}/auth-token/", {"username": name, "password": stage["password"]})
        assert list(answer) == ["token"]

    savers.part = "alone"
    saves = [asyncio.create_task(save(student)) for student in students]
    await asyncio.sleep(2)
    savers.part = "beside log-ins"
    names = [student["username"] for student in stage["students"][SAVERS:]]
    await asyncio.gather(*[log_in(*pair) for pair in zip(newcomers, names, strict=True)])
    is_over.set()
    await asyncio.gather(*saves)
    for student in [*students, *newcomers]:
        student.connection.close()
    return savers, log_ins


def test_saves_do_not_wait_for_a_class_that_logs_in(site, stage, exam, database):
    """All should get in, some after having been told to come back, and none of that should count as a failure."""
    savers, log_ins = asyncio.run(save_while_a_class_logs_in(site, stage, exam))

    alone, beside = (savers.most(part, 0.99) for part in ("alone", "beside log-ins"))
    print(f"\n{len(log_ins.took)} log-ins at once, the last after {log_ins.most('before'):.1f} s; sent away ", end="")
    print(f"{sum(log_ins.errors.values())} times; p99 of saves {alone:.2f} s alone, {beside:.2f} s beside them")
    assert savers.errors == {}
    assert {what[:3] for _, what in log_ins.errors} <= {"503"}
    assert beside < 3 * alone + 0.5
    with database() as connection:
        [failures] = connection.execute("SELECT count(*) FROM accounts_loginfailure").fetchone()
    assert failures == 0


# --- The end of the server -------------------------------------------------------------------------------------------


async def stop_while_saves_wait(site, stage, exam, database):
    """The statuses of saves that were under way when the server was told to stop, and its exit code."""
    students = [Student(site.port, token, Tally(), seed) for seed, token in enumerate(stage["tokens"][:6])]
    for student in students:
        await student.begin(exam["slug"])
    with database() as holder, holder.transaction():
        holder.execute(
            "SELECT 1 FROM attempts_attempt WHERE id = ANY(%s) FOR UPDATE", [[student.attempt for student in students]]
        )
        saves = [asyncio.create_task(student.save()) for student in students]
        await until(lambda: waiting(database) == len(students), "the saves do not reach the database")
        site.server.process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        await until(lambda: refuses(site.port), "new connections are still taken")
        assert time.monotonic() - told < 5
        assert site.server.process.poll() is None
    await asyncio.gather(*saves)
    code = await asyncio.to_thread(site.server.process.wait, LIMIT)
    for student in students:
        student.connection.close()
    return students, code


def waiting(database):
    with database() as connection:
        [[count]] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ).fetchall()
    return count


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except ConnectionRefusedError:
        return True
    return False


async def until(true, what):
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


def test_calls_under_way_are_answered_before_the_server_ends(site, stage, exam, database):
    try:
        students, code = asyncio.run(stop_while_saves_wait(site, stage, exam, database))
    finally:
        site.server.stop()
        site.start()

    assert code == 0
    assert [student.tally.errors for student in students] == [{}] * len(students)
    assert [student.tally.saves for student in students] == [1] * len(students)


# --- The disk --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(site):
    """Public files lie on a disk of their own, with room for a photo or two; skips where none can be mounted."""
    folder = site.folder / "media"
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "faults", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def noise():
    """A photo that no format makes small: a JPEG of some 100 kB."""
    file = BytesIO()
    Image.frombytes("RGB", (256, 256), os.urandom(256 * 256 * 3)).save(file, "JPEG", quality=85)
    return base64.b64encode(file.getvalue()).decode()


async def upload(site, stage, number):
    connection = Connection(site.port, stage["tokens"][number])
    try:
        _, _, me = await connection.ask("GET", f"{API}/me/")
        status, _, answer = await connection.ask(
            "PUT", f"{API}/users/{me['id']}/", {"photo": noise(), "city": "Madurai"}
        )
        _, _, after = await connection.ask("GET", f"{API}/me/")
    finally:
        connection.close()
    return status, answer, me, after


def files(folder):
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


NO_ROOM = {"detail": "Files cannot be stored at the moment. Try again later."}


@pytest.mark.parametrize("why", ["full", "read-only"])
def test_photos_when_the_disk_takes_no_more(why, small_disk, site, stage):
    first = asyncio.run(upload(site, stage, 0))
    assert first[0] == 200
    assert first[3]["photo"] != ""
    before = files(small_disk)
    if why == "full":
        (small_disk / "ballast").write_bytes(b"x" * room(small_disk, leave=20_000))
        before = files(small_disk)
    else:
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    status, answer, me, after = asyncio.run(upload(site, stage, 0))

    assert (status, answer) == (503, NO_ROOM)
    assert after == me == first[3]
    assert files(small_disk) == before
    with contextlib.suppress(OSError):
        (small_disk / "ballast").unlink()


def room(folder, *, leave):
    found = os.statvfs(folder)
    return max(found.f_bavail * found.f_frsize - leave, 0)
