"""What belongs to no app: the API's base view, its docs page, public files, and the front door."""

from functools import cache
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.static import serve
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from testpress.exceptions import BodyTooLarge

# What a browser may show in place; everything else, also an SVG, which can carry scripts, is a download.
PICTURES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


# Mixed into every view of the API: a body over `body_limit` bytes is refused (413) before it is read.
# (A docstring here would become that of every path without one in the API's docs.)
class LimitedBody:
    body_limit = settings.BODY_LIMIT

    def get_authenticators(self):
        return _authenticators(tuple(self.authentication_classes))

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and (len(length) > 18 or int(length) > self.body_limit):
            raise BodyTooLarge


@cache
def _authenticators(classes):
    """One of each for all requests: they keep nothing of any."""
    return [authentication() for authentication in classes]


class NoSuchPath(LimitedBody, APIView):
    """404 as JSON for every path below /api/ that nothing else answers."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request, *args, **kwargs):
        raise NotFound


class DocsView(SpectacularSwaggerSplitView):
    """The OpenAPI schema in a browser; all it loads comes from this server."""


@require_safe
def media(request, name):
    """A public file (a photo, a product's picture, a note) where files are local; S3 serves its own."""
    if not isinstance(default_storage, FileSystemStorage):
        raise Http404
    try:
        response = serve(request, name, document_root=default_storage.location)
    except (SuspiciousFileOperation, OSError, ValueError):  # outside the folder, or no name that a file can have
        raise Http404 from None
    file = PurePosixPath(name)
    picture = PICTURES.get(file.suffix.lower())
    if picture:
        response["Content-Type"] = picture
    else:
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name)
    del response["Content-Encoding"]  # the file itself is compressed; the client asked for the file
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Names are never used twice.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@require_safe
def home(request):
    """The front door leads to the docs of the API."""
    return redirect("/api/docs/")


@require_safe
@cache_control(max_age=24 * 3600, public=True)
def no_icon(request):
    """Browsers ask for one with every page, and a 404 each time would fill the log."""
    return HttpResponse(status=204)
