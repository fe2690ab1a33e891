"""What is asked: courses, exams with their attachments, and the bank of questions they pick from."""

import secrets
from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import Batch
from testpress.html import HTMLField, excerpt
from testpress.slugs import SluggedModel, slug_format
from testpress.storage import private_storage

RESERVED_SLUGS = frozenset({"available", "upcoming", "history"})
LONGEST_EXAM = timedelta(days=30)
UNCATEGORIZED = "Uncategorized"


class NamedGroup(models.Model):
    """A name that rows are grouped under, unique whatever the case of its letters."""

    name = models.CharField(max_length=100)

    class Meta:
        abstract = True
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Upper("name"), name="%(class)s_name_unique_in_any_case")]

    def __str__(self):
        return self.name


class Course(NamedGroup):
    """What an exam prepares for, such as TNPSC."""


class Subject(NamedGroup):
    """What a question is about, such as Polity."""


class Piece(Func):
    """One piece of SQL in a query: composed by the ORM from querysets, it would cost more than the query around it."""

    output_field = models.BooleanField()

    @classmethod
    def on(cls, *expressions: str) -> str:
        """The same for SQL that is written by hand."""
        return cls.template % {"expressions": ", ".join(expressions)}


class QuestionCount(Piece):
    """How many questions the exam of an id has."""

    template = '(SELECT COUNT(*) FROM "exams_examquestion" q WHERE q."exam_id" = %(expressions)s)'
    output_field = models.IntegerField()


class HasAttemptBy(Piece):
    """Whether the exam of an id has an attempt by the user of another."""

    template = 'EXISTS(SELECT 1 FROM "attempts_attempt" a WHERE (a."exam_id", a."user_id") = (%(expressions)s))'


class HasBatches(Piece):
    """Whether the exam of an id lists any batch."""

    template = 'EXISTS(SELECT 1 FROM "exams_exam_batches" l WHERE l."exam_id" = %(expressions)s)'


class HasBatchOf(Piece):
    """Whether the exam of an id lists a batch that the user of another is in."""

    template = (
        'EXISTS(SELECT 1 FROM "exams_exam_batches" l JOIN "accounts_user_batches" m ON m."batch_id" = l."batch_id" '
        'WHERE (l."exam_id", m."user_id") = (%(expressions)s))'
    )


class ExamQuerySet(models.QuerySet):
    def published(self):
        return self.filter(published=True)

    def visible_to(self, user):
        """The exams that `user` may see: those open to them, and all they have an attempt at."""
        return self.filter(Exam.is_open_to(user) | Exam.is_attempted_by(user))

    def open_to(self, user):
        """Published, for the whole institute or one of the batches of `user`."""
        return self.filter(Exam.is_open_to(user))

    def available(self, user, *, now):
        """Started, not ended, and without an attempt by `user`."""
        open_now = Q(start_date__lte=now) & (Q(end_date=None) | Q(end_date__gt=now))
        return self.filter(open_now, ~Exam.is_attempted_by(user))

    def upcoming(self, *, now):
        """Not yet started."""
        return self.filter(start_date__gt=now)

    def history(self, user):
        """With at least one attempt by `user`."""
        return self.filter(Exam.is_attempted_by(user))

    def with_question_count(self):
        """Each exam with `question_count`, counted in the same query."""
        return self.annotate(question_count=QuestionCount("pk"))

    def for_lists(self):
        """As the API lists exams: with their course and number of questions, the latest start first."""
        return self.select_related("course").with_question_count().order_by("-start_date", "id")


class Exam(SluggedModel):
    """A paper (questions in an order, with marks), the window in which it may be started and the time it allows.

    Once an attempt at it exists, what would change that attempt's result is frozen: which questions it has, their
    order, types, keys and marks. `exams/papers.py` holds that, and raises `paper_version` with every edit of what a
    student sees, so that no cache can serve an old paper.
    """

    reserved_slugs = RESERVED_SLUGS

    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True, blank=True, validators=[slug_format])
    description = HTMLField(blank=True)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="exams")
    start_date = models.DateTimeField()
    end_date = models.DateTimeField(null=True, blank=True, help_text="Empty: the exam never ends.")
    duration = models.DurationField(
        validators=[MinValueValidator(timedelta(seconds=1)), MaxValueValidator(LONGEST_EXAM)],
        help_text="H:MM:SS, at most 720 hours.",
    )
    mark_per_question = models.DecimalField(
        max_digits=6, decimal_places=2, default=1, validators=[MinValueValidator(0)]
    )
    negative_marks = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="What a wrong answer costs, written as a positive number.",
    )
    variable_mark_per_question = models.BooleanField(default=False, help_text="Questions may have marks of their own.")
    template_type = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="Which layout clients give the paper; passed on as it is.",
    )
    allow_retake = models.BooleanField(default=True)
    max_retakes = models.IntegerField(
        null=True, blank=True, validators=[MinValueValidator(-1)], help_text="Empty or -1: without limit."
    )
    allow_pause = models.BooleanField(
        default=True, help_text="Off: the clock runs from the start to the end, whatever the student does."
    )
    enable_ranks = models.BooleanField(default=False)
    rank_publishing_date = models.DateTimeField(null=True, blank=True, help_text="Empty: ranks show at once.")
    allow_pdf = models.BooleanField(default=False)
    show_answers = models.BooleanField(default=True, help_text="The review shows which answers are correct, and why.")
    published = models.BooleanField(default=True, help_text="Off: a draft that no student sees.")
    batches = models.ManyToManyField(
        Batch, blank=True, related_name="exams", help_text="None: open to the whole institute."
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    paper_version = models.PositiveIntegerField(default=1, editable=False)

    objects = ExamQuerySet.as_manager()

    class Meta:
        ordering = ["-start_date", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(duration__gt=timedelta(0)), name="exam_duration_positive"),
            models.CheckConstraint(
                condition=Q(end_date=None) | Q(end_date__gt=F("start_date")),
                name="exam_ends_after_start",
                violation_error_message="The end must come after the start.",
            ),
            models.CheckConstraint(condition=~Q(slug__in=sorted(RESERVED_SLUGS)) & ~Q(slug=""), name="exam_slug_free"),
            models.CheckConstraint(
                condition=Q(mark_per_question__gte=0, negative_marks__gte=0), name="exam_marks_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["-start_date", "id"], name="exam_by_start")]

    def __str__(self):
        return self.title

    @staticmethod
    def is_attempted_by(user):
        """A query's condition: the exam has an attempt by `user`."""
        return HasAttemptBy("pk", user.pk)

    @staticmethod
    def is_open_to(user):
        """A query's condition: published, and listing no batch or one of the batches of `user`."""
        return Q(published=True) & (~HasBatches("pk") | HasBatchOf("pk", user.pk))

    def is_open(self, user):
        """Whether `user` may start it, as far as batches and publication go; asked once where `exam_for` has not."""
        if not hasattr(self, "open_to_student"):
            self.open_to_student = Exam.objects.open_to(user).filter(pk=self.pk).exists()
        return self.open_to_student

    def has_started(self, now):
        return self.start_date <= now

    def has_ended(self, now):
        return self.end_date is not None and self.end_date <= now

    @property
    def attempt_limit(self):
        """How many attempts a student has at it, the first included; None: without limit."""
        if not self.allow_retake:
            return 1
        if self.max_retakes is None or self.max_retakes < 0:
            return None
        return self.max_retakes + 1

    def ranks_published(self, now):
        """Whether percentiles, and ranks where there are any, show at `now`."""
        return self.rank_publishing_date is None or self.rank_publishing_date <= now


class Question(models.Model):
    """A question of the bank; exams pick it through `ExamQuestion`."""

    class Type(models.TextChoices):
        SINGLE = "R", "Single correct answer"
        MULTIPLE = "C", "Several correct answers"
        ESSAY = "E", "Essay"

    question_html = HTMLField()
    direction = HTMLField(null=True, blank=True, help_text="What stands above the question, such as a passage to read.")
    type = models.CharField(max_length=1, choices=Type, default=Type.SINGLE)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="questions")
    explanation_html = HTMLField(blank=True)

    def __str__(self):
        return f"{self.pk}: {excerpt(self.question_html)}"


class Answer(models.Model):
    """One of the answers to choose from; those that are correct are the question's key."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="answers")
    order = models.PositiveIntegerField(default=0)
    text_html = HTMLField()
    is_correct = models.BooleanField(default=False)

    class Meta:
        ordering = ["order", "id"]

    def __str__(self):
        return excerpt(self.text_html)


class EssayTopic(models.Model):
    """One of the topics that an essay question offers."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="essay_topics")
    order = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=500)

    class Meta:
        ordering = ["order", "id"]

    def __str__(self):
        return self.title


class ExamQuestion(models.Model):
    """A question's place in an exam, and its marks there where the exam has variable marks (empty: the exam's)."""

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="exam_questions")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="exam_questions")
    order = models.PositiveIntegerField()
    mark = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)])
    negative_mark = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(fields=["exam", "question"], name="question_once_in_exam"),
            models.CheckConstraint(
                condition=(Q(mark=None) | Q(mark__gte=0)) & (Q(negative_mark=None) | Q(negative_mark__gte=0)),
                name="question_marks_not_negative",
            ),
        ]

    def __str__(self):
        return f"{self.exam}: {self.question}"


def attachment_name(attachment=None, file_name=""):
    """A name on storage that nobody can guess and that says nothing: `a/<32 hex digits>`."""
    return f"a/{secrets.token_hex(16)}"


class Attachment(models.Model):
    """A file that belongs to an exam, in the private storage. Once stored it never changes.

    `exams/attachments.py` stores it; the file goes when the row does.
    """

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    file = models.FileField(storage=private_storage, upload_to=attachment_name)
    file_name = models.CharField(max_length=255, help_text="As its owner calls it, without a path.")
    content_type = models.CharField(max_length=255, help_text="As its sender declared it; nobody has looked.")
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["exam", "id"], name="attachment_of_exam")]

    def __str__(self):
        return self.file_name

    @property
    def placeholder(self):
        """`1548172086_image.jpg`: when it came, in whole seconds since 1970, and its name."""
        return f"{int(self.created.timestamp())}_{self.file_name}"
