"""`manage.py remove_demo`: takes the demo institute out."""

from django.core.management import BaseCommand

from testpress.demo import removing


class Command(BaseCommand):
    help = (
        "Removes the demo institute: its users, attempts, exams, questions, products, posts and files. What others "
        "made stays, with whatever of the demo it hangs on; each such thing is listed. Safe to repeat."
    )
    # It is the remedy for what one of them finds.
    requires_system_checks = []

    def handle(self, **options):
        report = removing.remove()
        if report.removed:
            counts = ", ".join(f"{kind} {number}" for kind, number in report.removed.items())
            self.stdout.write(f"Removed of the demo: {counts}.")
        elif not report.kept:
            self.stdout.write("There is no demo here.")
        for sentence in report.kept:
            self.stdout.write(sentence)
