from django.urls import re_path

from posts import views

urlpatterns = [
    re_path(r"^posts/?$", views.PostListView.as_view(), name="post-list"),
    re_path(r"^posts/(?P<slug>[-a-zA-Z0-9_]+)/?$", views.PostView.as_view(), name="post"),
]
