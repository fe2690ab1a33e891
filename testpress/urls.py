"""The whole URL tree. Every path of the API answers with and without its final slash."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView

import accounts.urls
import attempts.urls
import catalog.urls
import exams.urls
import posts.urls
from exams import attachment_views
from testpress import views

# One list, in which what comes most is found soonest.
api = [
    *attempts.urls.urlpatterns,
    *accounts.urls.urlpatterns,
    *exams.urls.urlpatterns,
    *catalog.urls.urlpatterns,
    *posts.urls.urlpatterns,
]

signed_api = [
    re_path(r"^exams/(?P<exam_id>[^/]+)/attachments/?$", attachment_views.AttachmentsView.as_view()),
    re_path(r"^exams/(?P<exam_id>[^/]+)/attachments/(?P<id>[^/]+)/?$", attachment_views.AttachmentView.as_view()),
    re_path(r"", attachment_views.NoSuchV3Path.as_view()),
]

urlpatterns = [
    path("api/v2.1/", include(api)),
    path("api/v3/", include(signed_api)),
    path("api/v3", attachment_views.NoSuchV3Path.as_view()),
    # Made anew it costs half a second, and anybody may ask for it.
    re_path(r"^api/schema/?$", cache_page(300)(SpectacularAPIView.as_view()), name="schema"),
    re_path(r"^api/docs/?$", views.DocsView.as_view(), name="docs"),
    re_path(r"^api(/|$)", views.NoSuchPath.as_view()),
    path("admin/", admin.site.urls),
    re_path(r"^attachments/(?P<token>[^/]+)/?$", attachment_views.download),
    re_path(rf"^{settings.MEDIA_URL.lstrip('/')}(?P<name>.+)$", views.media),
    path("favicon.ico", views.no_icon),
    path("", views.home),
]

handler400 = "testpress.exceptions.bad_request"
handler500 = "testpress.exceptions.server_error"
