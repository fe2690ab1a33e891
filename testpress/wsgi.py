"""The WSGI application that the server process loads."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testpress.settings")


class Request(WSGIRequest):
    """Django's, which fails before any view where a content type's parameter is in an unknown character set."""

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {}


try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.exit(f"configuration: {error}")
application.request_class = Request

# All views are loaded before the first request, not within it; and what is loaded stays, so that the garbage collector
# need not go through it again and again.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
