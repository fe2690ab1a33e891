from django.urls import re_path

from exams import views

urlpatterns = [
    re_path(r"^exams/?$", views.ExamListView.as_view()),
    re_path(r"^exams/available/?$", views.AvailableExamsView.as_view()),
    re_path(r"^exams/upcoming/?$", views.UpcomingExamsView.as_view()),
    re_path(r"^exams/history/?$", views.HistoryExamsView.as_view()),
    re_path(r"^exams/(?P<slug>[-a-zA-Z0-9_]+)/?$", views.ExamView.as_view()),
    re_path(r"^exams/(?P<slug>[-a-zA-Z0-9_]+)/attachments/?$", views.ExamAttachmentsView.as_view()),
]
