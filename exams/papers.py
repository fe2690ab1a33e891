"""An exam's paper: read once and cached, and frozen once somebody has an attempt at it.

The cache's key carries the exam's `paper_version`, and every edit of what a student sees raises that number in the
edit's own transaction (`raise_versions`), so that no process can serve an old paper.

The order of locks, for everything that writes: exams (by id), then attempts (by id), then their items. An edit of what
is frozen takes its exams with `lock`; a start takes a share of that lock first (`share`), so that each waits for the
other and sees what it wrote. (Inserting the attempt would take the share by itself, but only at the commit: Django's
foreign keys are checked there.)
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, F, OuterRef

from exams.models import Exam, ExamQuestion, Question

CACHE_SECONDS = 24 * 3600
PAPERS_IN_MEMORY = 64

FROZEN_EXAM_FIELDS = frozenset({"mark_per_question", "negative_marks", "variable_mark_per_question", "allow_pause"})
FROZEN_QUESTION_FIELDS = frozenset({"type"})
FROZEN_ANSWER_FIELDS = frozenset({"order", "is_correct"})
FROZEN_TOPIC_FIELDS = frozenset({"order"})

UNDER_WAY = "Students have begun an exam with this already, so it can no longer be changed."


@dataclass(frozen=True)
class PaperQuestion:
    """A question as an exam has it. `mark` is what a right answer brings, `negative_mark` what a wrong one costs."""

    id: int
    order: int
    type: str
    question_html: str
    direction: str | None
    subject: str
    explanation_html: str
    answers: tuple[tuple[int, str], ...]  # id and text_html, in their order
    essay_topics: tuple[tuple[int, str], ...]  # id and title, in their order
    correct: frozenset[int]
    mark: Decimal
    negative_mark: Decimal

    @cached_property
    def written(self) -> dict:
        """What serializers have made of it, which need not be made again as long as this object lives."""
        return {}

    @cached_property
    def answer_ids(self) -> frozenset[int]:
        return frozenset(id for id, _ in self.answers)

    @cached_property
    def essay_topic_ids(self) -> frozenset[int]:
        return frozenset(id for id, _ in self.essay_topics)


@dataclass(frozen=True)
class Paper:
    """The questions in their order."""

    questions: tuple[PaperQuestion, ...]

    @cached_property
    def by_id(self) -> dict[int, PaperQuestion]:
        return {question.id: question for question in self.questions}


def paper_of(exam: Exam) -> Paper:
    """The paper in the version that `exam` was read with. Never call it in a transaction that edits the paper."""
    return remembered(exam.pk, exam.paper_version)


@lru_cache(maxsize=PAPERS_IN_MEMORY)
def remembered(exam_id: int, version: int) -> Paper:
    """The paper from this process's memory, else from the cache, else from the database."""
    key = f"paper:{exam_id}:{version}"
    paper = cache.get(key)
    if paper is None:
        paper = _read(exam_id)
        cache.set(key, paper, CACHE_SECONDS)
    return paper


def _read(exam_id) -> Paper:
    places = (
        ExamQuestion.objects.filter(exam=exam_id)
        .select_related("exam", "question__subject")
        .prefetch_related("question__answers", "question__essay_topics")
        .order_by("order", "id")
    )
    return Paper(tuple(_question(place.exam, place) for place in places))


def _question(exam: Exam, place: ExamQuestion) -> PaperQuestion:
    question, own_marks = place.question, exam.variable_mark_per_question
    answers = question.answers.all()
    return PaperQuestion(
        id=question.pk,
        order=place.order,
        type=question.type,
        question_html=question.question_html,
        direction=question.direction,
        subject=question.subject.name,
        explanation_html=question.explanation_html,
        answers=tuple((answer.pk, answer.text_html) for answer in answers),
        essay_topics=tuple((topic.pk, topic.title) for topic in question.essay_topics.all()),
        correct=frozenset(answer.pk for answer in answers if answer.is_correct),
        mark=place.mark if own_marks and place.mark is not None else exam.mark_per_question,
        negative_mark=(place.negative_mark if own_marks and place.negative_mark is not None else exam.negative_marks),
    )


def lock(exams) -> list[Exam]:
    """The exams of a queryset, locked until the transaction ends, each with `frozen`: whether an attempt exists.

    While they are locked nobody can start an attempt at them.
    """
    locked = list(exams.order_by("pk").select_for_update(of=("self",)))
    # Read after the lock: a start that it waited for has committed.
    under_way = set(
        Exam.objects.filter(Exists(Exam.objects.filter(pk=OuterRef("pk"), attempts__isnull=False)))
        .filter(pk__in=[exam.pk for exam in locked])
        .values_list("pk", flat=True)
    )
    for exam in locked:
        exam.frozen = exam.pk in under_way
    return locked


def share(exam: Exam) -> None:
    """Waits for whoever holds the exam's `lock`, and keeps everybody from taking it until the transaction ends.

    Where the exam was edited since it was read, it is read again. On SQLite the transaction itself has waited when it
    began.

    :raises Exam.DoesNotExist: it has been deleted.
    """
    clause = "FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    table = Exam._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT paper_version FROM {table} WHERE id = %s {clause}", [exam.pk])  # noqa: S608
        found = cursor.fetchone()
    if found is None:
        raise Exam.DoesNotExist
    if found[0] != exam.paper_version:
        exam.refresh_from_db()


def lock_questions(questions) -> set[int]:
    """Locks the questions (a collection of ids) until the transaction ends, and gives the ids of those there are.

    Meanwhile no exam can take one up, and no other edit touches one.
    """
    rows = Question.objects.filter(pk__in=questions).order_by("pk").select_for_update(of=("self",))
    return set(rows.values_list("pk", flat=True))


class Overtaken(ValidationError):
    """Another edit came between: nothing is wrong, and the same edit can be tried again."""


def lock_with(questions) -> frozenset[int]:
    """Locks the exams that have any of `questions` (a list of ids), then the questions; the ids of the frozen ones.

    Raises Overtaken where one of the questions was put into another exam in between.
    """
    locked = lock(exams_with(questions))
    lock_questions(questions)
    places = ExamQuestion.objects.filter(question__in=questions).values_list("exam", "question")
    under_way = {exam.pk: exam.frozen for exam in locked}
    frozen = set()
    for exam, question in places:
        if exam not in under_way:
            # Its lock would come after a question's: out of order, so that two edits could wait for each other.
            raise Overtaken("Somebody has just put this question into another exam. Try again.")
        if under_way[exam]:
            frozen.add(question)
    return frozenset(frozen)


def is_under_way(questions) -> bool:
    """Whether any of `questions` is in an exam with attempts: for showing; an edit asks `lock_with`."""
    return exams_with(questions).filter(attempts__isnull=False).exists()


def refuse(changed, frozen_fields) -> None:
    """Fields of something under way are to be changed: raises ValidationError that names the frozen ones of them."""
    if refused := frozen_fields.intersection(changed):
        raise ValidationError(dict.fromkeys(refused, UNDER_WAY))


def wrong_key(type: str, correct: list[bool]) -> str | None:
    """What is wrong with answers of which those are correct, for a question of this type; None: nothing."""
    if type == Question.Type.ESSAY:
        return "an essay (E) has no answers" if correct else None
    if len(correct) < 2:
        return "there must be at least two answers"
    if type == Question.Type.SINGLE and sum(correct) != 1:
        return f"exactly one answer of type R must be correct, not {sum(correct)}"
    if type == Question.Type.MULTIPLE and not any(correct):
        return "at least one answer of type C must be correct"
    return None


def exams_with(questions):
    """The exams that have any of `questions` (a queryset or list of them, or of their ids)."""
    return Exam.objects.filter(Exists(ExamQuestion.objects.filter(exam=OuterRef("pk"), question__in=questions)))


def raise_versions(exams) -> None:
    """The papers of the exams of a queryset have changed; in the transaction of the change."""
    exams.order_by().update(paper_version=F("paper_version") + 1)
