"""An exam under way in the admin site: what is frozen, what may be corrected, and edits that race with a start."""

import threading

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client

from attempts import lifecycle
from attempts.models import Attempt
from exams import papers
from exams.importing import ImportRefused, import_exam
from exams.models import Answer, EssayTopic, Exam, ExamQuestion, Question, Subject
from tests.conftest import NOW, make_exam, make_question
from tests.exams.test_admin import Page


@pytest.fixture
def site(admin, at):
    at(NOW)
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def begin(asha, at):
    """Starts asha's attempt at an exam."""

    def begin(exam):
        at(NOW)
        return lifecycle.start(exam, asha)[0]

    return begin


def everything():
    """All rows of what is frozen, as they are stored."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Exam, Question, Answer, EssayTopic, ExamQuestion)
    }


pytestmark = pytest.mark.django_db

# --- The exam --------------------------------------------------------------------------------------------------------


def test_an_exam_under_way_shows_what_is_frozen_as_text(site, begin):
    exam = make_exam()
    begin(exam)
    page = Page(site, f"exam/{exam.pk}/change/")
    frozen = {"mark_per_question", "negative_marks", "variable_mark_per_question", "allow_pause"}
    frozen |= {f"exam_questions-0-{name}" for name in ("order", "mark", "negative_mark", "DELETE")}
    assert not frozen & set(page.values)
    assert "Students have begun this exam" in page.html


def test_an_exam_under_way_may_change_the_rest(site, begin):
    exam = make_exam()
    attempt = begin(exam)

    Page(site, f"exam/{exam.pk}/change/").save(title="Better", duration="1:00:00", allow_retake=None)

    exam.refresh_from_db()
    assert (exam.title, exam.duration.seconds, exam.allow_retake, exam.paper_version) == ("Better", 3600, False, 2)
    assert Attempt.objects.get(pk=attempt.pk).time_allowed.seconds == 1800


@pytest.mark.parametrize(
    "changes",
    [
        {"mark_per_question": "5.00"},
        {"negative_marks": "5.00"},
        {"variable_mark_per_question": "on"},
        {"allow_pause": None},
        {"exam_questions__0__order": "9"},
        {"exam_questions__0__mark": "9.00"},
        {"exam_questions__0__negative_mark": "9.00"},
        {"exam_questions__0__DELETE": "on"},
        {"exam_questions-2-0-question": "NEW"},
    ],
)
def test_a_page_from_before_the_first_attempt_cannot_change_what_is_frozen(site, begin, changes):
    exam = make_exam()
    new = make_question()
    page = Page(site, f"exam/{exam.pk}/change/")
    begin(exam)
    before = everything()

    errors = page.refused(title="New", **{name: new.pk if value == "NEW" else value for name, value in changes.items()})

    assert [word for words in errors.values() for word in words] == [papers.UNDER_WAY]
    assert everything() == before


def test_a_page_from_before_the_first_attempt_can_change_the_rest(site, begin):
    exam = make_exam()
    page = Page(site, f"exam/{exam.pk}/change/")
    begin(exam)
    page.save(title="Better")
    exam.refresh_from_db()
    assert (exam.title, exam.paper_version) == ("Better", 2)


def test_values_for_frozen_fields_that_no_page_shows_are_refused(site, begin):
    exam = make_exam()
    begin(exam)
    before = everything()
    page = Page(site, f"exam/{exam.pk}/change/")

    page.refused(mark_per_question="9.00", negative_marks="0.25")
    # Without the field that tells such a page, they are no fields of the form.
    page.save(allow_pause=None, exam_questions__0__mark="9", exam_questions__0__DELETE="on")

    before["Exam"][0]["paper_version"] = 2
    assert everything() == before


def test_an_exam_under_way_is_not_deleted(site, begin):
    exam, other = make_exam(), make_exam("Other")
    begin(exam)
    before = everything()
    bulk = {"action": "delete_selected", "_selected_action": [exam.pk, other.pk], "post": "yes"}

    for path, data in ((f"/admin/exams/exam/{exam.pk}/delete/", {"post": "yes"}), ("/admin/exams/exam/", bulk)):
        response = site.post(path, data)
        assert response.status_code == 302
        assert [str(message) for message in get_messages(response.wsgi_request)][-1] == (
            "Students have begun “General Studies”. What they worked on cannot be deleted."
        )
        assert everything() == before


def test_an_exam_under_way_can_be_unpublished(site, begin):
    exam = make_exam()
    begin(exam)
    site.post("/admin/exams/exam/", {"action": "unpublish", "_selected_action": [exam.pk]})
    exam.refresh_from_db()
    assert (exam.published, exam.paper_version) == (False, 2)


# --- The question bank -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "C"},
        {"answers__0__is_correct": None, "answers__1__is_correct": "on"},
        {"answers__3__order": "9"},
        {"answers__3__DELETE": "on"},
        {"answers__TOTAL_FORMS": "5", "answers__4__order": "9", "answers__4__text_html": "new"},
        {"essay_topics__TOTAL_FORMS": "1", "essay_topics__0__title": "new"},
    ],
)
def test_a_question_under_way_keeps_its_key(site, begin, changes):
    question = make_question()
    page = Page(site, f"question/{question.pk}/change/")
    make_exam("Not begun", questions=[question])
    begin(make_exam(questions=[question]))
    before = everything()

    errors = page.refused(question_html="New?", **changes)

    assert {word for words in errors.values() for word in words} == {papers.UNDER_WAY}
    assert everything() == before


@pytest.mark.parametrize("early", [True, False])
def test_the_wording_of_a_question_under_way_may_be_corrected(site, begin, early):
    question = make_question()
    path = f"question/{question.pk}/change/"
    maths = Subject.objects.create(name="Maths")
    page = early and Page(site, path)
    exams = [make_exam(title, questions=[question]) for title in ("Begun", "Not begun")]
    begin(exams[0])
    page = page or Page(site, path)
    assert ("type" in page.values) == early

    page.save(
        question_html="New?",
        direction="Read.",
        explanation_html="So.",
        subject=maths.pk,
        answers__1__text_html="Better",
    )

    question.refresh_from_db()
    assert (question.question_html, question.direction, question.explanation_html) == ("New?", "Read.", "So.")
    assert (question.subject, question.type) == (maths, "R")
    assert [answer.text_html for answer in question.answers.all()][1] == "Better"
    assert [exam.paper_version for exam in Exam.objects.all()] == [2, 2]


def test_the_topics_of_an_essay_under_way_may_be_corrected_but_stay(site, begin):
    question = make_question("E", topics=["Rivers", "Dams"])
    early = Page(site, f"question/{question.pk}/change/")
    begin(make_exam(questions=[question]))

    assert set(early.refused(essay_topics__1__DELETE="on")) == {""}
    assert set(early.refused(essay_topics__1__order="0")) == {"essay_topics-1-order"}
    Page(site, f"question/{question.pk}/change/").save(essay_topics__0__title="Canals")

    assert [topic.title for topic in question.essay_topics.all()] == ["Canals", "Dams"]


def test_a_question_under_way_is_not_deleted(site, begin):
    exam = make_exam(questions=["R"])
    question = exam.exam_questions.get().question
    begin(exam)
    before = everything()
    bulk = {"action": "delete_selected", "_selected_action": [question.pk], "post": "yes"}

    site.post(f"/admin/exams/question/{question.pk}/delete/", {"post": "yes"})
    site.post("/admin/exams/question/", bulk)

    assert everything() == before


# --- Races -----------------------------------------------------------------------------------------------------------


class Meanwhile:
    """Runs `work` in a thread with a database connection of its own; its `result` is there after `join`.

    On PostgreSQL `wait_until_blocked` returns once the thread waits for a lock. On SQLite the thread cannot get past
    the beginning of its transaction while another one is open, so there is nothing to wait for.
    """

    def __init__(self, work):
        self.thread = threading.Thread(target=self._run, args=(work,))
        self.connected = threading.Event()
        self.error = None
        self.thread.start()

    def _run(self, work):
        try:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    self.pid = cursor.fetchone()[0]
            self.connected.set()
            self.result = work()
        except Exception as error:
            self.error = error
        finally:
            self.connected.set()
            connection.close()

    def join(self):
        self.thread.join()
        if self.error:
            raise self.error

    def wait_until_blocked(self):
        self.connected.wait()
        while connection.vendor == "postgresql" and self.thread.is_alive():
            with connection.cursor() as cursor:
                cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [self.pid])
                if cursor.fetchone()[0]:
                    return
        assert connection.vendor != "postgresql", "the thread ended without waiting for anybody"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["exam", "question"])
def test_an_edit_that_meets_a_start_waits_and_is_refused(site, asha, path):
    exam = make_exam(questions=["R"])
    question = exam.exam_questions.get().question
    page = Page(site, f"{path}/{({'exam': exam, 'question': question}[path]).pk}/change/")
    change = {"exam": {"mark_per_question": "5.00"}, "question": {"type": "C"}}[path]
    before = everything()

    with transaction.atomic():
        lifecycle.start(exam, asha)
        edit = Meanwhile(lambda: page.refused(**change))
        edit.wait_until_blocked()
    edit.join()

    assert {word for words in edit.result.values() for word in words} == {papers.UNDER_WAY}
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_a_start_that_meets_an_edit_waits_and_finds_it_done(site, asha):
    exam = make_exam(questions=["R", "R"])
    second = exam.exam_questions.last()

    with transaction.atomic():
        # The outer transaction is what keeps the edit's locks until the block ends.
        Page(site, f"exam/{exam.pk}/change/").save(exam_questions__0__DELETE="on")
        start = Meanwhile(lambda: lifecycle.start(Exam.objects.get(pk=exam.pk), asha)[0])
        start.wait_until_blocked()
    start.join()

    assert [item.question for item in start.result.items.all()] == [second.question]


@pytest.mark.django_db(transaction=True)
def test_an_edit_of_a_question_that_meets_its_way_into_another_exam_is_tried_again(site):
    question = make_question()
    exam = make_exam(questions=[])
    page = Page(site, f"question/{question.pk}/change/")

    with transaction.atomic():
        papers.lock(Exam.objects.all())
        papers.lock_questions([question.pk])
        ExamQuestion.objects.create(exam=exam, question=question, order=0)
        edit = Meanwhile(lambda: page.send(question_html="New?"))
        edit.wait_until_blocked()
    edit.join()

    # On SQLite the edit began after the other's end, and found the exam from the first.
    question.refresh_from_db()
    exam.refresh_from_db()
    taken = question.question_html == "New?"
    assert (taken, exam.paper_version) == ((False, 1) if connection.vendor == "postgresql" else (True, 2))
    page.save(question_html="New?")
    assert Question.objects.get().question_html == "New?"


@pytest.mark.django_db(transaction=True)
def test_an_import_that_meets_a_start_is_refused(asha, at):
    at(NOW)
    exam = make_exam(slug="gs", questions=["R"])
    data = {"title": "New", "slug": "gs", "start_date": "2024-01-01", "duration": "1:00:00", "questions": []}
    before = everything()

    def replace():
        with pytest.raises(ImportRefused) as refused:
            import_exam(data)
        return refused.value.lines()

    with transaction.atomic():
        lifecycle.start(exam, asha)
        edit = Meanwhile(replace)
        edit.wait_until_blocked()
    edit.join()

    assert edit.result == ["slug: gs has attempts already, so it cannot be replaced"]
    assert everything() == before
