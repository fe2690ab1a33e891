"""What belongs to no app: the API's base view, its docs page, public files, and the front door."""

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import Http404
from django.shortcuts import redirect
from django.views.static import serve
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from testpress.exceptions import BodyTooLarge


class LimitedBody:
    """Mixed into every view of the API: a body over `body_limit` bytes is refused (413) before it is read."""

    body_limit = settings.BODY_LIMIT

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.body_limit:
            raise BodyTooLarge


class NoSuchPath(LimitedBody, APIView):
    """404 as JSON for every path below /api/ that nothing else answers."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request, *args, **kwargs):
        raise NotFound


class DocsView(SpectacularSwaggerView):
    """The OpenAPI schema in a browser."""


def media(request, name):
    """A public file (a photo, a product's picture) where files are local; S3 serves its own."""
    if not isinstance(
        default_storage._wrapped if hasattr(default_storage, "_wrapped") else default_storage, FileSystemStorage
    ):
        raise Http404
    response = serve(request, name, document_root=settings.MEDIA_ROOT)
    # Names are never used twice.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def home(request):
    """The front door leads to the docs of the API."""
    return redirect("docs")
