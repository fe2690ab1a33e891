"""Middleware of the whole project."""

from django.db import DatabaseError, connection
from django.http import JsonResponse


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
        """200: this process can reach its database; 503: it cannot."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            return JsonResponse({"status": "unavailable"}, status=503)
        return JsonResponse({"status": "ok"})


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
