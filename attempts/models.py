"""One student taking one exam: the attempt and its answer sheet."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from exams.models import EssayTopic, Exam, Question


class AttemptQuerySet(models.QuerySet):
    def completed(self):
        return self.filter(state=Attempt.State.COMPLETED)

    def running(self):
        return self.filter(state=Attempt.State.RUNNING)

    def ranked(self):
        """The attempts that ranks and percentiles are counted over."""
        return self.filter(ranked=True)

    def of(self, user):
        return self.filter(user=user)


class Attempt(models.Model):
    """One student's attempt at one exam. `attempts/lifecycle.py` is the only writer.

        start() ──> RUNNING ── end(), or any call that finds the time over ──> COMPLETED
                    │     ^
                    └─────┘ heartbeat(), save(), resume()

    The clock: `remaining_time` is what was left at `last_started_time`, both exact; what the API shows is rounded down
    to whole seconds. Time taken is derived: `time_allowed - remaining_time`. `unattributed_time` is what has been
    charged since the last save and no question's `duration` has yet; the next save gives it to its question.

    The result columns hold nothing until the attempt is completed. `ranked`: it is its student's first completed one
    and its student was not staff, so it counts in ranks and percentiles.
    """

    class State(models.TextChoices):
        RUNNING = "Running"
        COMPLETED = "Completed"

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, related_name="attempts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField(help_text="1 is the student's first attempt at the exam.")
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    date = models.DateTimeField("begun")

    time_allowed = models.DurationField()
    remaining_time = models.DurationField()
    last_started_time = models.DateTimeField()
    unattributed_time = models.DurationField(default=timedelta(0))

    score = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    percentage = models.IntegerField(default=0)
    correct_count = models.PositiveIntegerField(default=0)
    incorrect_count = models.PositiveIntegerField(default=0)
    unanswered_count = models.PositiveIntegerField(default=0)
    seconds_taken = models.PositiveIntegerField(default=0)
    ranked = models.BooleanField(default=False)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-date", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "exam"], condition=Q(state="Running"), name="one_running_attempt_per_student_and_exam"
            ),
            models.UniqueConstraint(fields=["user", "exam", "number"], name="attempt_numbered_once"),
            models.UniqueConstraint(
                fields=["user", "exam"], condition=Q(ranked=True), name="one_ranked_attempt_per_student_and_exam"
            ),
            models.CheckConstraint(condition=Q(state__in=["Running", "Completed"]), name="attempt_state_known"),
            models.CheckConstraint(
                condition=Q(remaining_time__gte=timedelta(0), remaining_time__lte=F("time_allowed")),
                name="attempt_remaining_time_within_allowed",
            ),
            models.CheckConstraint(condition=Q(unattributed_time__gte=timedelta(0)), name="attempt_time_not_negative"),
            models.CheckConstraint(condition=Q(ranked=False) | Q(state="Completed"), name="attempt_ranked_completed"),
        ]
        indexes = [
            models.Index(fields=["user", "-date", "-id"], name="attempt_newest_of_user"),
            models.Index(fields=["exam", "score", "seconds_taken"], condition=Q(ranked=True), name="attempt_ranking"),
            models.Index(fields=["exam"], condition=Q(state="Running"), name="attempt_running"),
        ]

    def __str__(self):
        return f"{self.user} at {self.exam}, attempt {self.number}"

    @property
    def is_completed(self):
        return self.state == self.State.COMPLETED


class AttemptItem(models.Model):
    """One question of an attempt's answer sheet: what the student chose or wrote, and the time it took them.

    `selected_answers` lists ids of `exams.Answer` in the order they were sent. A paper under way is frozen, so they
    stay valid. `duration` is null until the first save.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="items", db_index=False)
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.PositiveIntegerField()
    selected_answers = models.JSONField(default=list)
    essay_text = models.TextField(null=True)
    essay_topic = models.ForeignKey(
        EssayTopic, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    review = models.BooleanField(null=True)
    duration = models.DurationField(null=True)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "question"], name="one_item_per_attempt_and_question"),
            models.CheckConstraint(
                condition=Q(duration=None) | Q(duration__gte=timedelta(0)), name="item_duration_not_negative"
            ),
        ]

    def __str__(self):
        return f"Item {self.pk}"
