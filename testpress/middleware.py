"""Middleware of the whole project."""

from datetime import timedelta

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error, connection
from django.http import JsonResponse
from django.utils import timezone

# How far this process's clock may be from the database's before the process counts as unfit to keep students' time.
CLOCK_TOLERANCE = timedelta(seconds=2)

# Whose callers say who they are in each request: nothing of a browser's session is looked at there.
SESSIONLESS = ("/api/v2.1/", "/api/v3/")


class HealthMiddleware:
    """Answers `/healthz` and `/livez` before anything else looks at the request.

    First in the list, because a load balancer's probe comes with any Host header and over plain HTTP.
    """

    def __init__(self, get_response):
        self.get_response = get_response
        self.probes = {"/livez": self.livez, "/healthz": self.healthz}

    def __call__(self, request):
        probe = self.probes.get(request.path_info.rstrip("/"))
        return probe() if probe else self.get_response(request)

    @staticmethod
    def livez():
        """200: this process answers."""
        return JsonResponse({"status": "ok"})

    @staticmethod
    def healthz():
        """200: this process reaches its database and agrees with it on the time; 503: it does not."""
        try:
            difference = clock_difference()
        except Error:
            return JsonResponse({"status": "unavailable"}, status=503)
        if difference > CLOCK_TOLERANCE:
            seconds = difference.total_seconds()
            return JsonResponse({"status": f"clock differs from the database's by {seconds:.1f} seconds"}, status=503)
        return JsonResponse({"status": "ok"})


def clock_difference() -> timedelta:
    """How far this process's clock is ahead of the database's, or behind it, at least: the way there takes time, too.

    Nothing on SQLite, which has no clock of its own; it is asked something all the same.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT 1")
            return timedelta(0)
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        [at_the_database] = cursor.fetchone()
        after = timezone.now()
    return max(before - at_the_database, at_the_database - after, timedelta(0))


class ContentSecurityPolicyMiddleware:
    """A page (the admin site, the API's docs) runs no script and loads no style but this server's own.

    Pictures may come from anywhere: questions link them, and a bucket may hold the uploaded ones.
    """

    POLICY = "; ".join(
        [
            "default-src 'self'",
            "img-src 'self' data: http: https:",
            "style-src 'self' 'unsafe-inline'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        ]
    )

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", self.POLICY)
        return response


class OfPages:
    """Leaves a middleware out of the API's calls, which have no session and come by the hundred a second."""

    def __call__(self, request):
        if request.path_info.startswith(SESSIONLESS):
            return self.get_response(request)
        return super().__call__(request)


class PageSessionMiddleware(OfPages, SessionMiddleware):
    pass


class PageAuthenticationMiddleware(OfPages, AuthenticationMiddleware):
    pass


class PageMessageMiddleware(OfPages, MessageMiddleware):
    pass
