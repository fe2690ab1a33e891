"""`manage.py load_demo`: the demo institute, for looking around."""

from django.core.management import BaseCommand, CommandError

from testpress import demo
from testpress.demo import loading


class Command(BaseCommand):
    help = (
        "Loads the demo institute (made-up students, exams, results, products and posts) into an empty database. "
        "Its passwords are known to everybody, so it never loads beside real data. `remove_demo` takes it out."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--if-empty", action="store_true", help="Where the database is not empty, do nothing and say nothing."
        )

    def handle(self, *, if_empty, **options):
        try:
            loading.load()
        except loading.NotEmpty as error:
            if if_empty:
                return
            raise CommandError(str(error)) from None
        self.stdout.write(
            "The demo institute is loaded. Log in as\n"
            f"  student {demo.STUDENT}, password {demo.PASSWORD}, in an app or at /api/docs/\n"
            f"  staff   {demo.ADMIN}, password {demo.PASSWORD}, at /admin/\n"
            "`manage.py remove_demo` takes it out."
        )
