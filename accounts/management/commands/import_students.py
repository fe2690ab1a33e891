from django.core.management.base import BaseCommand, CommandError

from accounts import importing


class Command(BaseCommand):
    help = (
        "Creates and updates students from a CSV file with the columns "
        f"{','.join(importing.COLUMNS)} (batches joined by ';'). An empty cell changes nothing; "
        "batches of an existing student become exactly those listed. All rows or none."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument(
            "--set-passwords",
            action="store_true",
            help="Give existing students the file's passwords, too. That ends their log-ins.",
        )

    def handle(self, *, file, set_passwords, **options):
        try:
            created, updated = importing.import_students(file, set_passwords=set_passwords)
        except importing.Unreadable as error:
            raise CommandError(str(error)) from None
        except importing.BadRows as error:
            for line, reason in error.rows:
                self.stderr.write(f"line {line}: {reason}")
            raise CommandError(f"Nothing was imported: {len(error.rows)} problems.") from None
        self.stdout.write(f"created {created}, updated {updated}")
