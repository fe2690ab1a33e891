"""The WSGI application on a machine whose clock is two minutes fast: what it calls now is two minutes ahead."""

from datetime import timedelta

from django.utils import timezone

AHEAD = timedelta(minutes=2)

true_now = timezone.now


def now():
    return true_now() + AHEAD


timezone.now = now

# Only after that, so that nothing keeps the true one.
from testpress.wsgi import application  # noqa: E402

__all__ = ["application"]
