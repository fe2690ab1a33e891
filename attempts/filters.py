"""The query parameters of attempts' lists and of the review."""

import django_filters
from django.db.models import TextChoices

from attempts.models import Attempt
from testpress.filters import TextFilter


class AttemptFilter(django_filters.FilterSet):
    course = TextFilter("exam__course__name", "iexact", help_text="Its exam's course, in any case.")
    q = TextFilter("exam__title", "icontains", help_text="Part of its exam's title, in any case.")

    class Meta:
        model = Attempt
        fields = ["course", "q"]


class ReviewState(TextChoices):
    """Which questions a review shows."""

    ALL = "all"
    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNANSWERED = "unanswered"
    REVIEW = "review"

    @property
    def tells_answers(self):
        """Whether the choice tells which answers are correct."""
        return self in (self.CORRECT, self.INCORRECT)
