from django.urls import re_path

from attempts import views

ATTEMPT = r"^attempts/(?P<pk>[0-9]{1,18})"

urlpatterns = [
    # The two that come most by far are found soonest.
    re_path(rf"{ATTEMPT}/questions/(?P<item>[0-9]{{1,18}})/?$", views.QuestionView.as_view()),
    re_path(rf"{ATTEMPT}/heartbeat/?$", views.AttemptHeartbeatView.as_view()),
    re_path(r"^exams/(?P<slug>[-a-zA-Z0-9_]+)/attempts/?$", views.ExamAttemptsView.as_view()),
    re_path(r"^attempts/?$", views.AttemptListView.as_view()),
    re_path(rf"{ATTEMPT}/?$", views.AttemptDetailView.as_view()),
    re_path(rf"{ATTEMPT}/start/?$", views.AttemptStartView.as_view()),
    re_path(rf"{ATTEMPT}/end/?$", views.AttemptEndView.as_view()),
    re_path(rf"{ATTEMPT}/questions/?$", views.QuestionsView.as_view()),
    re_path(rf"{ATTEMPT}/review/?$", views.ReviewView.as_view()),
]
