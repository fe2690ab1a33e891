"""`python -m tests.faults.upgrade forwards|backwards`: the migration of a release to come, on a database in use.

It does what a release may do (CONTRIBUTING.md): it adds, columns that the old code need not know and an index.
"""

import sys

import django


def main(direction):
    django.setup()
    from django.contrib.postgres.operations import AddIndexConcurrently
    from django.db import connection, migrations, models
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.recorder import MigrationRecorder

    from attempts.models import Attempt, AttemptItem

    migration = migrations.Migration("9999_of_the_next_release", "attempts")
    migration.atomic = False
    migration.operations = [
        migrations.AddField("attempt", "remark", models.TextField(null=True)),
        migrations.AddField("attemptitem", "visits", models.IntegerField(db_default=0)),
        AddIndexConcurrently("attemptitem", models.Index(fields=["visits"], name="item_visits_scratch")),
    ]
    assert {"remark", "visits"}.isdisjoint(f.name for model in (Attempt, AttemptItem) for f in model._meta.fields)
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state()
    with connection.schema_editor(atomic=False) as editor:
        if direction == "forwards":
            migration.apply(state, editor)
            MigrationRecorder(connection).record_applied("attempts", migration.name)
        else:
            migration.unapply(state, editor)
            MigrationRecorder(connection).record_unapplied("attempts", migration.name)


if __name__ == "__main__":
    main(sys.argv[1])
