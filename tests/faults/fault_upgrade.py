"""A release's migrations are applied while the old release serves: it goes on, also through a restart."""

import asyncio

from tests.faults import truth
from tests.faults.conftest import SECONDS
from tests.faults.students import Hour


async def hour_with_an_upgrade(site, stage, exam, database):
    async with Hour(site.port, stage["tokens"], exam["slug"]) as students:
        third = len(students.students) // 3
        students.tally.part = "migrating"
        await students.until(lambda: students.started >= third, "nobody starts")
        await asyncio.to_thread(site.run, "tests.faults.upgrade", "forwards")
        await students.until(lambda: students.started == len(students.students), "somebody cannot start")
        await asyncio.sleep(SECONDS / 4)
        students.tally.part = "restarting"
        await asyncio.to_thread(site.restart)
        students.tally.part = "migrated"
        await asyncio.sleep(SECONDS / 4)
        # The release is taken back, too.
        students.tally.part = "migrating"
        await asyncio.to_thread(site.run, "tests.faults.upgrade", "backwards")
        await students.all_end()
    return students


def test_old_processes_go_on_while_the_database_is_migrated(site, stage, exam, database):
    """Not one call may fail while the migration runs, and nothing may be lost."""
    students = asyncio.run(hour_with_an_upgrade(site, stage, exam, database))

    print(f"\nupgrade: {students.tally.saves} saves; {students.tally.errors.most_common(5)}")
    assert students.tally.failed_in("migrating") == students.tally.failed_in("migrated") == {}
    with database() as connection:
        assert truth.lost_answers(connection, students.students) == []
        assert truth.half_ended(connection) == []
        assert truth.wrong_results(students.students, stage["key"]) == []
        [[count]] = connection.execute(
            "SELECT count(*) FROM attempts_attempt WHERE exam_id = %s AND state = 'Completed'", [exam["id"]]
        ).fetchall()
    assert count == len(stage["tokens"])
