"""The query parameters of exams' lists."""

import django_filters
from django.db.models import TextChoices
from django.utils import timezone

from exams.models import Exam
from testpress.filters import TextFilter


class State(TextChoices):
    """Where an exam stands for a student."""

    AVAILABLE = "available"
    UPCOMING = "upcoming"
    HISTORY = "history"


def in_state(exams, state, user):
    """The exams of a queryset that are in `state` for `user`, now."""
    if state == State.AVAILABLE:
        return exams.available(user, now=timezone.now())
    if state == State.UPCOMING:
        return exams.upcoming(now=timezone.now())
    return exams.history(user)


class ExamFilter(django_filters.FilterSet):
    course = TextFilter("course__name", "iexact", help_text="A course's exact name, in any case.")
    q = TextFilter("title", "icontains", help_text="Part of the title, in any case.")

    class Meta:
        model = Exam
        fields = ["course", "q"]


class AnyStateExamFilter(ExamFilter):
    state = django_filters.ChoiceFilter(choices=State.choices, method="filter_state")

    def filter_state(self, exams, name, value):
        return in_state(exams, value, self.request.user)
