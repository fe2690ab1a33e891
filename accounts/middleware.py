"""Times are the institute's."""

import zoneinfo

from django.core.cache import caches
from django.utils import timezone

from accounts.models import Institute

CACHE_KEY = "institute:time_zone"
CACHE_SECONDS = 60


def institute_time_zone():
    """The institute's time zone; a change shows everywhere within a minute."""
    cache = caches["local"]
    name = cache.get(CACHE_KEY)
    if name is None:
        name = Institute.objects.filter(pk=Institute.ID).values_list("time_zone", flat=True).first()
        name = name or Institute._meta.get_field("time_zone").default
        cache.set(CACHE_KEY, name, CACHE_SECONDS)
    return zoneinfo.ZoneInfo(name)


class InstituteTimeZoneMiddleware:
    """Activates the institute's time zone for the request: times without a zone mean it, and answers are told in it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with timezone.override(institute_time_zone()):
            return self.get_response(request)
