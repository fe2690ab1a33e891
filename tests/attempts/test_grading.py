"""Grading, as a table and against a plain slow version."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attempts.grading import Result, Verdict, grade, percentage, verdict
from exams.papers import PaperQuestion


def question(type="R", *, answers=4, correct=(0,), mark="1.00", negative="0.25"):
    return PaperQuestion(
        id=1,
        order=0,
        type=type,
        question_html="",
        direction=None,
        subject="",
        explanation_html="",
        answers=tuple((n, "") for n in range(answers)),
        essay_topics=(),
        correct=frozenset(correct),
        mark=Decimal(mark),
        negative_mark=Decimal(negative),
    )


@pytest.mark.parametrize(
    ("type", "correct", "selected", "expected"),
    [
        ("R", (0,), [0], Verdict.CORRECT),
        ("R", (0,), [1], Verdict.INCORRECT),
        ("R", (0,), [], Verdict.UNANSWERED),
        ("C", (0, 1), [0, 1], Verdict.CORRECT),
        ("C", (0, 1), [1, 0], Verdict.CORRECT),
        ("C", (0, 1), [0], Verdict.INCORRECT),
        ("C", (0, 1), [0, 1, 2], Verdict.INCORRECT),
        ("C", (0, 1), [2, 3], Verdict.INCORRECT),
        ("C", (0, 1), [], Verdict.UNANSWERED),
        ("E", (), [], Verdict.UNANSWERED),
    ],
)
def test_verdict(type, correct, selected, expected):
    assert verdict(question(type, correct=correct), selected) is expected


@pytest.mark.parametrize(
    ("score", "full", "expected"),
    [
        ("0", "0", 0),
        ("5", "0", 0),
        ("2", "200", 1),
        ("1", "200", 1),  # 0.5 rounds away from zero
        ("-1", "200", -1),
        ("0.99", "200", 0),
        ("1", "3", 33),
        ("2", "3", 67),
        ("3", "3", 100),
        ("-0.25", "1", -25),
    ],
)
def test_percentage_rounds_half_away_from_zero(score, full, expected):
    assert percentage(Decimal(score), Decimal(full)) == expected


def test_grade_counts_an_essay_as_unanswered_and_its_mark_as_full():
    sheet = [(question(), [0]), (question(), [1]), (question("E", answers=0, correct=(), mark="10.00"), [])]

    assert grade(sheet) == Result(Decimal("0.75"), 6, correct_count=1, incorrect_count=1, unanswered_count=1)


def test_grade_of_an_empty_sheet():
    assert grade([]) == Result(Decimal(0), 0, 0, 0, 0)


marks = st.integers(0, 999999).map(lambda n: Decimal(n).scaleb(-2))


@st.composite
def answered(draw):
    type = draw(st.sampled_from("RCE"))
    answers = 0 if type == "E" else draw(st.integers(2, 6))
    places = st.sets(st.integers(0, max(answers - 1, 0)), max_size=answers)
    correct = draw(places) if type == "C" else ({0} if type == "R" else set())
    selected = list(draw(places))[: 1 if type == "R" else 6]
    mark, negative = draw(marks), draw(marks)
    return question(type, answers=answers, correct=correct or {0}, mark=mark, negative=negative), selected


@given(st.lists(answered(), max_size=30))
def test_grade_equals_a_plain_count(sheet):
    score, full, right, wrong = Fraction(0), Fraction(0), 0, 0
    for asked, selected in sheet:
        full += Fraction(asked.mark)
        if asked.type == "E" or len(selected) == 0:
            continue
        if sorted(selected) == sorted(asked.correct):
            right += 1
            score += Fraction(asked.mark)
        else:
            wrong += 1
            score -= Fraction(asked.negative_mark)
    share = score * 100 / full if full else Fraction(0)
    half_away = int(abs(share) + Fraction(1, 2)) * (1 if share >= 0 else -1)

    result = grade(sheet)

    assert Fraction(result.score) == score
    assert result.percentage == half_away
    assert (result.correct_count, result.incorrect_count) == (right, wrong)
    assert result.unanswered_count == len(sheet) - right - wrong
