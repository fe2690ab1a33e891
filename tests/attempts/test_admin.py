"""Attempts in the admin site: to look at, for those who may."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from attempts import lifecycle
from attempts.models import Attempt, AttemptItem
from tests.conftest import NOW, make_exam, make_question

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(admin, at):
    at(NOW)
    client = Client()
    client.force_login(admin)
    return client


def begin(user, title, **fields):
    """A student's running attempt at an exam of that title, begun at NOW."""
    return lifecycle.start(make_exam(title, **fields), user, now=NOW)[0]


def listed(client, **query):
    response = client.get("/admin/attempts/attempt/", query)
    assert response.status_code == 200
    return [attempt.pk for attempt in response.context["cl"].result_list]


def test_attempt_list_shows_who_what_and_how_far(site, asha):
    attempt = begin(asha, "General Studies", duration=timedelta(hours=26))
    html = site.get("/admin/attempts/attempt/").content.decode()
    for text in ("asha", "General Studies", "Running", "26:00:00"):
        assert text in html
    assert listed(site) == [attempt.pk]


def test_attempt_list_finds_by_student_and_exam(site, asha, balu):
    one, two = begin(asha, "General Studies"), begin(balu, "Maths")
    assert listed(site, q="ash") == listed(site, q="general") == [one.pk]
    assert listed(site, q="balu maths") == [two.pk]


def test_attempt_list_filters_by_state_course_and_date(site, asha, balu):
    running, completed = begin(asha, "A"), begin(balu, "B", course="UPSC")
    lifecycle.end(completed.pk, balu, now=NOW)

    assert listed(site, state__exact="Running") == [running.pk]
    assert listed(site, exam__course__id__exact=completed.exam.course_id) == [completed.pk]
    assert listed(site, date__year=2026, date__month=3) == [completed.pk, running.pk]
    assert listed(site, date__year=2025) == []


def test_attempt_list_costs_the_same_at_one_and_three_rows(site, asha, balu, chitra):
    counts = []
    for user in (asha, balu, chitra):
        begin(user, f"Exam of {user}", course="TNPSC")
        listed(site)
        with CaptureQueriesContext(connection) as captured:
            listed(site)
        counts.append(len(captured))
    assert counts[0] == counts[2]


def test_attempt_page_shows_the_sheet_and_changes_nothing(site, asha):
    choice = make_question(text="Capital of India?", subject="Polity")
    essay = make_question("E", topics=["Rivers"])
    attempt = begin(asha, "General Studies", questions=[choice, essay])
    first, second = AttemptItem.objects.all()
    right, wrong = choice.answers.all()[:2]
    AttemptItem.objects.filter(pk=first.pk).update(
        selected_answers=[right.pk, wrong.pk], duration=timedelta(seconds=41, microseconds=201331)
    )
    AttemptItem.objects.filter(pk=second.pk).update(essay_text="<b>Water</b>", essay_topic=essay.essay_topics.get())
    path = f"/admin/attempts/attempt/{attempt.pk}/change/"

    html = site.get(path).content.decode()

    for text in ("Capital of India?", "✓ answer 0", "✗ answer 1", "0:00:41", "Rivers", "&lt;b&gt;Water&lt;/b&gt;"):
        assert text in html
    assert "answer 2" not in html
    assert 'name="_save"' not in html
    assert "deletelink" not in html
    assert site.post(path, {"state": "Completed"}).status_code == 403


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_attempts(site, asha, path):
    attempt = begin(asha, "General Studies")
    path = f"/admin/attempts/attempt/{path.format(attempt.pk)}"
    assert (site.get(path).status_code, site.post(path, {"post": "yes"}).status_code) == (403, 403)
    site.post(
        "/admin/attempts/attempt/",
        {"action": "delete_selected", "_selected_action": [attempt.pk], "post": "yes"},
    )
    assert Attempt.objects.filter(pk=attempt.pk).exists()


def test_attempt_page_costs_the_same_at_one_and_three_questions(site, asha):
    counts = []
    for questions in (["R"], ["R"], ["R", "C", "E"]):
        attempt = begin(asha, f"{questions} {len(counts)}", questions=questions)
        with CaptureQueriesContext(connection) as captured:
            site.get(f"/admin/attempts/attempt/{attempt.pk}/change/")
        counts.append(len(captured))
    assert counts[1] == counts[2]


def test_staff_see_attempts_with_the_permission_alone(teacher, asha):
    attempt = begin(asha, "General Studies")
    client = Client()
    client.force_login(teacher)
    path = f"/admin/attempts/attempt/{attempt.pk}/change/"
    assert (client.get("/admin/attempts/attempt/").status_code, client.get(path).status_code) == (403, 403)

    rights = Permission.objects.filter(codename__in=["view_attempt", "view_attemptitem"])
    teacher.user_permissions.set(rights)
    assert listed(client) == [attempt.pk]
    assert client.get(path).status_code == 200
