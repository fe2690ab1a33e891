"""exams/papers.py: what a paper holds, its cache, locks and the rule of what is frozen."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from attempts import lifecycle
from exams import papers
from exams.models import Exam, ExamQuestion, Question
from tests.conftest import NOW, make_exam, make_question

pytestmark = pytest.mark.django_db


def test_paper_holds_the_questions_in_their_order():
    question = make_question("C", key=(0, 2), answers=3, direction="<p>Read</p>", subject="Polity", text="Which?")
    essay = make_question("E", topics=["Rivers"], subject="Essay")
    exam = make_exam(questions=[question, essay])
    ExamQuestion.objects.filter(question=question).update(order=5)

    first, second = papers.paper_of(exam).questions

    answers = list(question.answers.all())
    assert second == papers.PaperQuestion(
        id=question.pk,
        order=5,
        type="C",
        question_html="<p>Which?</p>",
        direction="<p>Read</p>",
        subject="Polity",
        explanation_html="<p>Because.</p>",
        answers=tuple((answer.pk, answer.text_html) for answer in answers),
        essay_topics=(),
        correct=frozenset({answers[0].pk, answers[2].pk}),
        mark=Decimal("1.00"),
        negative_mark=Decimal("0.25"),
    )
    assert (first.id, first.essay_topics) == (essay.pk, ((essay.essay_topics.get().pk, "Rivers"),))


@pytest.mark.parametrize(
    ("variable", "own", "used"),
    [
        (True, ("2.00", "0.50"), ("2.00", "0.50")),
        (True, ("0.00", "0.00"), ("0.00", "0.00")),
        (True, (None, None), ("1.00", "0.25")),
        (True, ("2.00", None), ("2.00", "0.25")),
        (False, ("2.00", "0.50"), ("1.00", "0.25")),
    ],
)
def test_paper_takes_a_questions_own_marks_where_they_vary(variable, own, used):
    exam = make_exam(questions=[("R", own)], variable_mark_per_question=variable)
    [question] = papers.paper_of(exam).questions
    assert (question.mark, question.negative_mark) == tuple(map(Decimal, used))


@pytest.mark.parametrize("questions", [1, 3])
def test_paper_costs_a_fixed_number_of_statements_once(questions, statements):
    exam = make_exam(questions=["R"] * questions)
    with statements(3):  # places with questions and subjects; answers; topics
        paper = papers.paper_of(exam)
    with statements(0):
        assert papers.paper_of(exam) == paper


def test_paper_is_read_anew_once_its_version_is_raised():
    exam = make_exam(questions=["R"])
    papers.paper_of(exam)
    Question.objects.update(question_html="<p>New?</p>")

    assert papers.paper_of(exam).questions[0].question_html == "<p>General Studies 0</p>"
    papers.raise_versions(Exam.objects.filter(pk=exam.pk))
    exam.refresh_from_db()
    assert papers.paper_of(exam).questions[0].question_html == "<p>New?</p>"


def test_lock_tells_which_exams_have_attempts(asha, at):
    at(NOW)
    begun, other = make_exam("Begun"), make_exam("Other")
    lifecycle.start(begun, asha)
    with transaction.atomic():
        assert {exam: exam.frozen for exam in papers.lock(Exam.objects.all())} == {begun: True, other: False}


def test_lock_with_tells_which_questions_are_in_exams_with_attempts(asha, at):
    at(NOW)
    begun, shared, other, unused = (make_question() for _ in range(4))
    exam = make_exam("Begun", questions=[begun, shared])
    make_exam("Other", questions=[shared, other])
    lifecycle.start(exam, asha)
    with transaction.atomic():
        assert papers.lock_with([q.pk for q in (begun, shared, other, unused)]) == {begun.pk, shared.pk}
    assert [papers.is_under_way([q]) for q in (begun, shared, other, unused)] == [True, True, False, False]


def test_refuse_names_the_frozen_fields():
    papers.refuse(["title", "slug"], papers.FROZEN_EXAM_FIELDS)
    with pytest.raises(ValidationError) as refused:
        papers.refuse(["title", "allow_pause"], papers.FROZEN_EXAM_FIELDS)
    assert refused.value.message_dict == {"allow_pause": [papers.UNDER_WAY]}


@pytest.mark.parametrize(
    ("type", "correct", "word"),
    [
        ("R", [True, False], None),
        ("R", [True, True], "exactly one"),
        ("R", [False, False], "exactly one"),
        ("R", [True], "two"),
        ("R", [], "two"),
        ("C", [True, True], None),
        ("C", [True, False], None),
        ("C", [False, False], "at least one"),
        ("C", [True], "two"),
        ("E", [], None),
        ("E", [True], "no answers"),
    ],
)
def test_wrong_key(type, correct, word):
    problem = papers.wrong_key(type, correct)
    assert problem is None if word is None else word in problem
