from django.urls import re_path

from accounts import views

urlpatterns = [
    re_path(r"^auth-token/?$", views.AuthTokenView.as_view()),
    re_path(r"^me/?$", views.MeView.as_view()),
    re_path(r"^users/(?P<pk>[0-9]{1,18})/?$", views.UserView.as_view()),
]
