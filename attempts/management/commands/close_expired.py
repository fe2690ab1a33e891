from django.core.management.base import BaseCommand
from django.utils import timezone

from attempts import lifecycle
from attempts.models import Attempt


class Command(BaseCommand):
    help = (
        "Completes the attempts that nobody can go on with: without pauses when their time is over, with pauses when "
        "their exam's window has closed as well. For a timer; safe to repeat and to run twice at once."
    )

    def handle(self, **options):
        now = timezone.now()
        candidates = Attempt.objects.expirable(now=now).values_list("pk", flat=True)
        closed = sum(lifecycle.close_if_expired(pk, now=now) for pk in list(candidates))
        self.stdout.write(f"completed {closed}")
