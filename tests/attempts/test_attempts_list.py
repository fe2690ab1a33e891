"""GET /attempts/ and /exams/<slug>/attempts/."""

from datetime import timedelta

import pytest

from exams.models import Exam
from tests.conftest import NOW, Api, make_exam


def test_the_list_shows_own_attempts_newest_first(sit, at, asha, balu):
    sit(make_exam("Other's"), balu)
    first = sit(make_exam("First"))
    first.put("end/")
    at(NOW + timedelta(seconds=1))
    Api(asha).post("exams/first/attempts/", status=201)

    attempts = Api(asha).get("attempts/")

    assert attempts["count"] == 2
    newest, oldest = attempts["results"]
    assert (newest["state"], oldest["state"]) == ("Running", "Completed")
    assert oldest == first.get() | {"allow_retake": True, "remaining_attempts": None}
    keys = list(newest)
    assert keys[-4:] == ["comments_count", "allow_retake", "remaining_attempts", "total_bonus"]


def test_the_list_filters_by_its_exams_course_and_title(sit, asha):
    sit(make_exam("Ancient History", course="UPSC"))
    sit(make_exam("Modern 100% History", course="TNPSC"))
    api = Api(asha)

    def titles(**query):
        return [attempt["exam"]["title"] for attempt in api.get("attempts/", query)["results"]]

    assert titles(course="upsc") == ["Ancient History"]
    assert titles(course="UPS") == []
    assert titles(q="ANCIENT") == ["Ancient History"]
    assert titles(q="100%") == ["Modern 100% History"]
    assert titles(q="history", course="nobody's") == []
    assert len(titles(q="")) == 2


def test_remaining_attempts_without_retakes_are_one_then_none(sit, asha):
    sit(make_exam(allow_retake=False))

    assert Api(asha).get("attempts/")["results"][0]["remaining_attempts"] == 0


def test_one_exams_attempts(sit, asha):
    sitting = sit(make_exam())
    sit(make_exam("Other"))

    page = Api(asha).get("exams/general-studies/attempts/")

    assert page["count"] == 1
    assert page["results"] == Api(asha).get("exams/general-studies/")["attempts"]
    assert len(page["results"][0]) == 19
    assert page["results"][0]["id"] == sitting.id


def test_one_exams_attempts_are_kept_by_who_has_them_only(sit, asha, balu, chitra):
    sitting = sit(make_exam(batches=["EEE"]))
    sitting.exam.published = False
    sitting.exam.save()

    assert Api(asha).get("exams/general-studies/attempts/")["count"] == 1
    assert Api(balu).get("exams/general-studies/attempts/", status=404) == {"detail": "Not found."}
    sitting.exam.published = True
    sitting.exam.save()
    assert Api(chitra).get("exams/general-studies/attempts/", status=403)["code"] == "not_available"


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_whatever_the_rows(sit, asha, statements, rows):
    """user; page with exams, counted; how many have which score; same score. One exam's: the exam with the user."""
    for n in range(rows):
        sit(make_exam(f"Exam {n}")).put("end/")
    for _ in range(rows - 1):
        sit(Exam.objects.get(slug="exam-0")).put("end/")
    api = Api(asha)

    with statements(4):
        assert api.get("attempts/")["count"] == rows * 2 - 1
    with statements(4):
        assert api.get("exams/exam-0/attempts/")["count"] == rows
