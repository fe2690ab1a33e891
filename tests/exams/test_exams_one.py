"""GET /exams/<slug>/."""

from datetime import timedelta

import pytest

from exams.models import Exam
from tests.conftest import NOW, Api, make_exam


def test_one_exam_shows_own_attempts_newest_first(asha, balu, at):
    exam = make_exam()
    for user, minutes in [(asha, 0), (balu, 1), (asha, 2)]:
        at(NOW + timedelta(minutes=minutes))
        attempt = Api(user).post(f"exams/{exam.slug}/attempts/", status=201)
        Api(user).put(f"attempts/{attempt['id']}/end/")

    shown = Api(asha).get(f"exams/{exam.slug}/")

    assert [attempt["date"] for attempt in shown["attempts"]] == [
        "2026-03-02T06:32:00.000Z",
        "2026-03-02T06:30:00.000Z",
    ]
    assert list(shown)[16:19] == ["attempts_url", "attempts", "allow_pdf"]
    assert shown["attempts_url"] == "http://localhost/api/v2.1/exams/general-studies/attempts/"


def test_an_exam_of_another_batch(chitra):
    make_exam(batches=["EEE"])
    assert Api(chitra).get("exams/general-studies/", status=403)["code"] == "not_available"


def test_a_draft_does_not_exist(asha):
    make_exam(published=False)
    make_exam("For EEE", published=False, batches=["EEE"])
    for slug in ("general-studies", "for-eee", "nothing"):
        assert Api(asha).get(f"exams/{slug}/", status=404) == {"detail": "Not found."}


@pytest.mark.parametrize("rows", [1, 3])
def test_one_exam_costs_the_same_whatever_the_attempts(asha, at, statements, rows):
    """exam with the user; attempts; how many have which score; same score."""
    at(NOW)
    make_exam()
    api = Api(asha)
    for _ in range(rows):
        attempt = api.post("exams/general-studies/attempts/", status=201)
        api.put(f"attempts/{attempt['id']}/end/")

    with statements(4):
        assert len(api.get("exams/general-studies/")["attempts"]) == rows


def test_slugs_are_derived_numbered_and_never_reserved(db):
    """`available`, `upcoming` and `history` are paths of the API."""
    assert [make_exam(title).slug for title in ["Général!", "General", "History", "Upcoming", "???"]] == [
        "general",
        "general-2",
        "history-2",
        "upcoming-2",
        "exam",
    ]
    assert Exam.objects.count() == 5
