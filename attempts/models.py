"""One student taking one exam: the attempt and its answer sheet."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery

from attempts.clock import Clock
from exams.models import EssayTopic, Exam, Question, QuestionCount


class AttemptQuerySet(models.QuerySet):
    def completed(self):
        return self.filter(state=Attempt.State.COMPLETED)

    def running(self):
        return self.filter(state=Attempt.State.RUNNING)

    def expirable(self, *, now):
        """The running ones that may be over: without pauses, or with their exam's window closed."""
        return self.running().filter(Q(exam__allow_pause=False) | Q(exam__end_date__lte=now), last_started_time__lt=now)

    def ranked(self):
        """The attempts that ranks and percentiles are counted over."""
        return self.filter(ranked=True)

    def of(self, user):
        return self.filter(user=user)

    def newest_first(self):
        return self.order_by("-date", "-id")

    def with_question_count(self):
        """Each attempt with `question_count`, the number of questions of its exam."""
        return self.annotate(question_count=QuestionCount("exam"))

    def with_attempts_used(self):
        """Each attempt with `attempts_used`, how many its student has at its exam."""
        same = Attempt.objects.filter(exam=OuterRef("exam"), user=OuterRef("user")).order_by().values("exam")
        return self.annotate(attempts_used=Subquery(same.annotate(n=Count("pk")).values("n")))

    def for_detail(self):
        """With all that the API shows of an attempt and its exam, but its standing."""
        return self.select_related("exam__course").with_question_count()


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

    # What completing writes beside the clock.
    RESULT_COLUMNS = (
        "state",
        "score",
        "percentage",
        "correct_count",
        "incorrect_count",
        "unanswered_count",
        "seconds_taken",
        "ranked",
    )

    @property
    def is_completed(self):
        return self.state == self.State.COMPLETED

    @property
    def clock(self) -> Clock:
        return Clock(self.remaining_time, self.last_started_time, self.unattributed_time)

    def shown_remaining_time(self, now) -> timedelta:
        """What a reader is told: a paused clock's stored time, or what is left now where the exam knows no pauses."""
        if self.is_completed or self.exam.allow_pause:
            return self.remaining_time
        return self.clock.left(now)

    def time_taken(self, remaining: timedelta) -> timedelta:
        """The time taken when `remaining` is left, so that both as shown, in whole seconds, make `time_allowed`."""
        return self.time_allowed - timedelta(seconds=remaining // timedelta(seconds=1))


class AttemptItem(models.Model):
    """One question of an attempt's answer sheet: what the student chose or wrote, and the time it took them.

    `selected_answers` lists ids of `exams.Answer` in the order they were sent. A paper under way is frozen, so they
    stay valid. `duration` is null until the first save.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="items", db_index=False)
    # Not checked by the database, row by row at each start, each a lock on the question: it is the exam's, whose places
    # (`ExamQuestion`) hold their questions, and hold themselves once there is an attempt.
    question = models.ForeignKey(
        Question, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
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
