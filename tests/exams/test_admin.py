"""Courses, subjects, exams and questions in the admin site; what is frozen is in test_admin_freeze.py."""

from datetime import timedelta

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.middleware import institute_time_zone
from exams.admin import RANKS_WITH_PAUSES
from exams.models import Course, Exam, ExamQuestion, Question, Subject
from tests.conftest import NOW, make_exam, make_question, make_user

pytestmark = pytest.mark.django_db


class Page:
    """One form of the admin site: `values` are what a browser would send back, ready to be changed."""

    def __init__(self, client, path):
        self.client, self.path = client, f"/admin/exams/{path}"
        self.opened = client.get(self.path)
        assert self.opened.status_code == 200
        with timezone.override(institute_time_zone()):
            self.values = self._sent_back(self.opened.context)

    @staticmethod
    def _sent_back(context):
        values = _values(context["adminform"].form)
        for inline in context["inline_admin_formsets"]:
            values |= _values(inline.formset.management_form)
            for form in inline.formset.forms:
                values |= _values(form, inline)
        return values

    @property
    def html(self):
        return self.opened.content.decode()

    def send(self, **changes):
        """Sends the form with `changes` (a name's "__" is "-", None leaves the field out); the response."""
        values = self.values | {name.replace("__", "-"): value for name, value in changes.items()}
        return self.client.post(self.path, {name: value for name, value in values.items() if value is not None})

    def save(self, **changes):
        """Sends the form, which must be taken; the messages it leaves."""
        response = self.send(**changes)
        assert response.status_code == 302, errors_of(response)
        return [str(message) for message in get_messages(response.wsgi_request)]

    def refused(self, **changes):
        """Sends the form, which must be refused; the words of all its errors."""
        response = self.send(**changes)
        assert response.status_code == 200
        return errors_of(response)


def _values(form, inline=None):
    shown_only = set(flatten_fieldsets(inline.fieldsets)) if inline and not inline.has_change_permission else set()
    values = {}
    for field in form:
        value = field.value()
        if (field.name in shown_only and form.instance.pk) or value is None or value is False:
            continue
        if isinstance(value, list):
            values[field.html_name] = [getattr(item, "pk", item) for item in value]
        elif hasattr(field.field.widget, "decompress"):
            for number, part in enumerate(field.field.widget.decompress(value)):
                values[f"{field.html_name}_{number}"] = str(part or "")
        else:
            values[field.html_name] = "on" if value is True else str(value)
    return values


def errors_of(response):
    """{field: [words]} of a form that is shown again, those of inline tables and of the whole under ""."""
    form = response.context["adminform"].form
    errors = {name or "": list(words) for name, words in form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        for words in inline.formset.non_form_errors():
            errors.setdefault("", []).append(words)
        for row in inline.formset.forms:
            for name, words in row.errors.items():
                errors[f"{row.prefix}-{name}"] = list(words)
    return errors


@pytest.fixture
def site(admin, at):
    """The admin site as the superuser sees it at NOW."""
    at(NOW)
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def viewer(teacher, at):
    """The admin site as a teacher sees it who may look at everything about exams."""
    at(NOW)
    teacher.user_permissions.set(
        Permission.objects.filter(content_type__app_label="exams", codename__startswith="view")
    )
    client = Client()
    client.force_login(teacher)
    return client


# --- Lists -----------------------------------------------------------------------------------------------------------


def cells(client, model):
    """The list's rows, each as {column: text}."""
    response = client.get(f"/admin/exams/{model}/")
    changelist = response.context["cl"]
    columns = [column for column in changelist.list_display if column != "action_checkbox"]
    rows = []
    for row in changelist.result_list:
        named = {}
        for column in columns:
            value = getattr(changelist.model_admin, column, None) or getattr(row, column)
            named[column] = str(value(row) if callable(value) else value)
        rows.append(named)
    return rows


def test_exam_list_shows_state_and_counts(site, asha):
    make_exam("Open", questions=["R", "R"], duration=timedelta(hours=26))
    make_exam("Draft", published=False, questions=[])
    make_exam("Upcoming", start_date=NOW + timedelta(days=1), questions=["R"])
    make_exam("Ended", end_date=NOW - timedelta(minutes=1), questions=["R"])

    shown = {
        row["title"]: (row["state"], row["length"], row["questions"], row["attempts"]) for row in cells(site, "exam")
    }

    assert shown == {
        "Open": ("open", "26:00:00", "2", "0"),
        "Draft": ("draft", "0:30:00", "0", "0"),
        "Upcoming": ("upcoming", "0:30:00", "1", "0"),
        "Ended": ("ended", "0:30:00", "1", "0"),
    }


@pytest.mark.parametrize("state", ["draft", "upcoming", "open", "ended"])
def test_exam_list_filters_by_state(site, state):
    make_exam("open")
    make_exam("draft", published=False)
    make_exam("upcoming", start_date=NOW + timedelta(days=1))
    make_exam("ended", end_date=NOW - timedelta(minutes=1))

    response = site.get("/admin/exams/exam/", {"state": state})

    assert [exam.title for exam in response.context["cl"].result_list] == [state]


@pytest.mark.parametrize("query", ["general", "gs-1", "tnpsc"])
def test_exam_list_finds_by_title_slug_and_course(site, query):
    exam = make_exam(slug="gs-1")
    make_exam("Other", course="UPSC")
    response = site.get("/admin/exams/exam/", {"q": query})
    assert list(response.context["cl"].result_list) == [exam]


@pytest.mark.parametrize("model", ["exam", "question", "course", "subject"])
def test_lists_cost_the_same_at_one_and_three_rows(site, model):
    def count():
        with CaptureQueriesContext(connection) as captured:
            assert site.get(f"/admin/exams/{model}/").status_code == 200
        return len(captured)

    make_exam("A", questions=[make_question(subject="S0")], course="A", batches=["X"])
    count()
    one = count()
    for n in range(1, 3):
        make_exam(f"A{n}", questions=[make_question(subject=f"S{n}")], course=f"A{n}", batches=["X"])
    assert count() == one


def test_staff_with_permission_to_view_only_view(viewer):
    exam = make_exam()
    page = viewer.get(f"/admin/exams/exam/{exam.pk}/change/")

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert viewer.post(f"/admin/exams/exam/{exam.pk}/change/", {"title": "x"}).status_code == 403
    assert viewer.post(f"/admin/exams/exam/{exam.pk}/delete/", {"post": "yes"}).status_code == 403
    assert viewer.get("/admin/exams/exam/add/").status_code == 403
    assert viewer.get(f"/admin/exams/question/{exam.exam_questions.first().question_id}/change/").status_code == 200


def test_staff_without_permission_see_nothing(teacher):
    client = Client()
    client.force_login(teacher)
    assert client.get("/admin/exams/exam/").status_code == 403


# --- One exam --------------------------------------------------------------------------------------------------------


def test_adding_an_exam_with_questions(site):
    course = Course.objects.create(name="TNPSC")
    first, second = make_question(), make_question()

    Page(site, "exam/add/").save(
        title="General Studies",
        slug="",
        course=course.pk,
        start_date_0="2026-03-02",
        start_date_1="09:00:00",
        duration="26:00:00",
        exam_questions__0__question=second.pk,
        exam_questions__1__question=first.pk,
        exam_questions__1__mark="2.00",
    )

    exam = Exam.objects.get()
    assert (exam.slug, exam.duration) == ("general-studies", timedelta(hours=26))
    assert exam.start_date.isoformat() == "2026-03-02T03:30:00+00:00"
    assert [(place.order, place.question, str(place.mark)) for place in exam.exam_questions.all()] == [
        (0, second, "None"),
        (1, first, "2.00"),
    ]


def test_saving_an_exam_unchanged_changes_its_version_alone(site):
    exam = make_exam(duration=timedelta(hours=26), batches=["EEE"])
    before = Exam.objects.filter(pk=exam.pk).values().get()

    Page(site, f"exam/{exam.pk}/change/").save()

    assert Exam.objects.filter(pk=exam.pk).values().get() == before | {"paper_version": 2}
    assert [batch.name for batch in exam.batches.all()] == ["EEE"]


def test_moving_adding_and_removing_questions_raises_the_version(site):
    exam = make_exam(questions=["R", "R", "R"])
    first, second, third = exam.exam_questions.all()
    new = make_question()

    Page(site, f"exam/{exam.pk}/change/").save(
        exam_questions__0__order="7",
        exam_questions__1__DELETE="on",
        **{"exam_questions-2-0-question": new.pk},
    )

    assert [(place.order, place.question) for place in exam.exam_questions.all()] == [
        (2, third.question),
        (3, new),
        (7, first.question),
    ]
    exam.refresh_from_db()
    assert exam.paper_version == 2
    assert Question.objects.filter(pk=second.question_id).exists()


def test_a_question_is_in_an_exam_once(site):
    exam = make_exam(questions=["R"])
    question = exam.exam_questions.get().question
    errors = Page(site, f"exam/{exam.pk}/change/").refused(**{"exam_questions-2-0-question": question.pk})
    assert errors == {"": ["A question can be in an exam only once."]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"duration": "30 minutes"}, "duration"),
        ({"duration": "0:00:00"}, "duration"),
        ({"duration": "721:00:00"}, "duration"),
        ({"duration": ""}, "duration"),
        ({"slug": "available"}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"max_retakes": "-2"}, "max_retakes"),
        ({"negative_marks": "-1"}, "negative_marks"),
        ({"end_date_0": "2020-01-01", "end_date_1": "00:00:00"}, "end_date"),
        ({"template_type": "0"}, "template_type"),
        ({"exam_questions-0-mark": "-1"}, "exam_questions-0-mark"),
    ],
)
def test_an_exam_with_a_wrong_value_is_refused(site, changes, field):
    exam = make_exam()
    assert list(Page(site, f"exam/{exam.pk}/change/").refused(**changes)) == [field]


def test_ranks_with_pauses_are_warned_of(site):
    exam = make_exam(enable_ranks=True, allow_pause=False)
    page = Page(site, f"exam/{exam.pk}/change/")
    assert RANKS_WITH_PAUSES not in page.html

    assert RANKS_WITH_PAUSES in page.save(allow_pause="on")

    page = Page(site, f"exam/{exam.pk}/change/")
    assert RANKS_WITH_PAUSES in page.html
    assert RANKS_WITH_PAUSES not in page.save(enable_ranks=None)


def test_publishing_and_unpublishing_in_bulk(site):
    one, two = make_exam("One", published=False), make_exam("Two")

    for action in ("publish", "unpublish"):
        site.post("/admin/exams/exam/", {"action": action, "_selected_action": [one.pk, two.pk]})
        states = list(Exam.objects.order_by("pk").values_list("published", "paper_version"))
        assert states == ([(True, 2), (True, 1)] if action == "publish" else [(False, 3), (False, 2)])


def test_deleting_an_exam_leaves_its_questions_in_the_bank(site):
    exam = make_exam()
    site.post(f"/admin/exams/exam/{exam.pk}/delete/", {"post": "yes"})
    assert (Exam.objects.count(), Question.objects.count()) == (0, 3)


def test_deleting_exams_in_bulk(site):
    exams = [make_exam("One"), make_exam("Two")]
    data = {"action": "delete_selected", "_selected_action": [exam.pk for exam in exams]}

    assert site.post("/admin/exams/exam/", data).status_code == 200
    assert Exam.objects.count() == 2
    site.post("/admin/exams/exam/", data | {"post": "yes"})
    assert (Exam.objects.count(), ExamQuestion.objects.count()) == (0, 0)


def test_an_exams_page_costs_the_same_at_one_and_three_questions(site):
    counts = []
    Page(site, f"exam/{make_exam('Warm').pk}/change/").save()
    for questions in (["R"], ["R"] * 3):
        exam = make_exam(f"{len(questions)}", questions=questions)
        for send in (False, True):
            with CaptureQueriesContext(connection) as captured:
                page = Page(site, f"exam/{exam.pk}/change/")
                if send:
                    page.save()
            counts.append(len(captured))
    assert counts[:2] == counts[2:]


def test_a_page_that_is_not_there(site):
    for path in ("exam/99999/change/", "exam/x/change/", "exam/99999/delete/", "exam/x/delete/"):
        assert site.get(f"/admin/exams/{path}").status_code == 302
        assert site.post(f"/admin/exams/{path}").status_code == 302


# --- Questions -------------------------------------------------------------------------------------------------------


def test_adding_a_question(site):
    subject = Subject.objects.create(name="Polity")

    Page(site, "question/add/").save(
        type="C",
        subject=subject.pk,
        question_html='<p onclick="x()">Which?</p>',
        answers__0__text_html="one",
        answers__0__is_correct="on",
        answers__1__text_html="two",
    )

    question = Question.objects.get()
    assert (question.question_html, question.direction, question.explanation_html) == ("<p>Which?</p>", None, "")
    assert [(answer.text_html, answer.is_correct) for answer in question.answers.all()] == [
        ("one", True),
        ("two", False),
    ]


def test_an_answer_without_a_place_comes_last(site):
    question = make_question(answers=2)
    new = {
        "answers-2-text_html": "third",
        "answers-2-order": "",
        "answers-3-text_html": "fourth",
        "answers-3-order": "",
    }

    Page(site, f"question/{question.pk}/change/").save(answers__TOTAL_FORMS="4", answers__0__order="5", **new)

    words = [(answer.order, answer.text_html) for answer in question.answers.all()]
    assert words == [(1, "<p>answer 1</p>"), (5, "<p>answer 0</p>"), (6, "third"), (7, "fourth")]


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"answers__1__is_correct": "on"}, "", "exactly one"),
        ({"answers__0__is_correct": None}, "", "exactly one"),
        ({"answers__1__DELETE": "on"}, "", "two answers"),
        ({"type": "E"}, "", "no answers"),
        ({"type": "C", "answers__0__is_correct": None}, "", "at least one"),
        ({"question_html": "<script>x</script>"}, "question_html", "blank"),
        ({"answers__0__text_html": "<p></p>"}, "answers-0-text_html", "blank"),
        ({"question_html": "<b>" * 5000}, "question_html", "tags"),
    ],
)
def test_a_question_that_fits_no_type_is_refused(site, changes, field, word):
    question = make_question(answers=2)
    errors = Page(site, f"question/{question.pk}/change/").refused(**changes)
    assert list(errors) == [field]
    assert word in errors[field][0].lower()


def test_topics_are_for_essays_alone(site):
    question = make_question("E", topics=["Rivers"])
    page = Page(site, f"question/{question.pk}/change/")
    page.save(essay_topics__0__title="Dams")
    assert [topic.title for topic in question.essay_topics.all()] == ["Dams"]
    assert "Only an essay" in page.refused(type="C")[""][-1]


def test_editing_a_question_raises_the_version_of_every_exam_with_it(site):
    question = make_question()
    one, two, other = make_exam("1", questions=[question]), make_exam("2", questions=[question]), make_exam("3")

    Page(site, f"question/{question.pk}/change/").save(answers__0__text_html="Better")

    versions = dict(Exam.objects.values_list("pk", "paper_version"))
    assert versions == {one.pk: 2, two.pk: 2, other.pk: 1}


def test_renaming_a_subject_raises_the_version_of_every_exam_with_it(site):
    with_it = make_exam("1", questions=[make_question(subject="Polity")])
    without = make_exam("2", questions=[make_question(subject="Maths")])
    subject = Subject.objects.get(name="Polity")

    Page(site, f"subject/{subject.pk}/change/").save(name="Civics")

    assert dict(Exam.objects.values_list("pk", "paper_version")) == {with_it.pk: 2, without.pk: 1}


def test_names_of_subjects_and_courses_are_taken_in_any_case(site):
    Subject.objects.create(name="Polity")
    Course.objects.create(name="TNPSC")
    assert list(Page(site, "subject/add/").refused(name="POLITY")) == ["__all__"]
    assert list(Page(site, "course/add/").refused(name="tnpsc")) == ["__all__"]


@pytest.mark.parametrize("model", ["question", "subject", "course"])
def test_what_an_exam_uses_cannot_be_deleted(site, model):
    exam = make_exam(questions=["R"])
    question = exam.exam_questions.get().question
    used = {"question": question, "subject": question.subject, "course": exam.course}[model]

    page = site.post(f"/admin/exams/{model}/{used.pk}/delete/", {"post": "yes"})
    bulk = {"action": "delete_selected", "_selected_action": [used.pk], "post": "yes"}
    bulk_page = site.post(f"/admin/exams/{model}/", bulk)

    assert (page.status_code, bulk_page.status_code) == (200, 200)
    assert type(used).objects.filter(pk=used.pk).exists()


def test_an_unused_question_can_be_deleted(site):
    question = make_question()
    site.post(f"/admin/exams/question/{question.pk}/delete/", {"post": "yes"})
    assert not Question.objects.exists()


def test_questions_can_be_searched_for_an_exam(site):
    make_question(text="Capital of France?")
    make_question(text="Other")
    query = {"app_label": "exams", "model_name": "examquestion", "field_name": "question", "term": "capital"}
    found = site.get("/admin/autocomplete/", query).json()["results"]
    assert [row["text"].partition(": ")[2] for row in found] == ["Capital of France?"]


def test_staff_are_asked_for_the_permission_to_delete_in_bulk(at):
    at(NOW)
    teacher = make_user("editor", is_staff=True)
    teacher.user_permissions.set(Permission.objects.filter(codename__in=["view_exam", "change_exam"]))
    exam = make_exam()
    client = Client()
    client.force_login(teacher)

    client.post("/admin/exams/exam/", {"action": "delete_selected", "_selected_action": [exam.pk], "post": "yes"})

    assert Exam.objects.exists()
