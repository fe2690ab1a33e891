"""Grading: an answer sheet in, a result out. No database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from exams.models import Question
from exams.papers import PaperQuestion


class Verdict(Enum):
    """What became of one question. An essay counts as unanswered until it is graded by hand."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Result:
    """`score` in marks; `percentage` of the paper's full marks, essays included, whole and signed."""

    score: Decimal
    percentage: int
    correct_count: int
    incorrect_count: int
    unanswered_count: int


def verdict(question: PaperQuestion, selected: Collection[int]) -> Verdict:
    """Right only if exactly the correct answers are selected (of type R there is one of them)."""
    if not selected or question.type == Question.Type.ESSAY:
        return Verdict.UNANSWERED
    return Verdict.CORRECT if question.correct == set(selected) else Verdict.INCORRECT


def grade(sheet: Iterable[tuple[PaperQuestion, Collection[int]]]) -> Result:
    """The result of a sheet: each question with the ids of the answers selected.

    Right adds the question's mark, wrong takes its negative mark, unanswered does neither.
    """
    score = full = Decimal(0)
    counts = dict.fromkeys(Verdict, 0)
    for question, selected in sheet:
        full += question.mark
        found = verdict(question, selected)
        counts[found] += 1
        if found is Verdict.CORRECT:
            score += question.mark
        elif found is Verdict.INCORRECT:
            score -= question.negative_mark
    return Result(
        score=score,
        percentage=percentage(score, full),
        correct_count=counts[Verdict.CORRECT],
        incorrect_count=counts[Verdict.INCORRECT],
        unanswered_count=counts[Verdict.UNANSWERED],
    )


def percentage(score: Decimal, full: Decimal) -> int:
    """`score` in per cent of `full`, rounded half away from zero; 0 where there are no marks."""
    if not full:
        return 0
    return int((score * 100 / full).quantize(Decimal(1), ROUND_HALF_UP))
