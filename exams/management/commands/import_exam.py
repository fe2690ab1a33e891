from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from exams.importing import LONGEST_FILE, ImportRefused, import_exam, parse


class Command(BaseCommand):
    help = (
        "Make an exam from a JSON file, or replace the one with the same slug if nobody has begun it. "
        "All or nothing: errors are listed by their path in the file."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE.json", type=Path)

    def handle(self, *, file, **options):
        try:
            with file.open("rb") as stream:
                content = stream.read(LONGEST_FILE + 1)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        try:
            imported = import_exam(parse(content))
        except ImportRefused as refused:
            raise CommandError("\n".join(["nothing was imported:", *refused.lines()])) from None
        self.stdout.write(str(imported))
