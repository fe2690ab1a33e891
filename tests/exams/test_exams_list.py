"""GET /exams/, /exams/available/, /upcoming/, /history/."""

from datetime import timedelta

import pytest

from accounts.models import Institute
from tests.conftest import NOW, Api, make_exam


@pytest.fixture
def term(db, at):
    """Exams of all kinds, as seen at NOW."""
    at(NOW)
    return {
        "open": make_exam("Open"),
        "batch": make_exam("Batch", batches=["EEE", "UPSC"], end_date=NOW + timedelta(days=1)),
        "other": make_exam("Other", batches=["ECE"]),
        "draft": make_exam("Draft", published=False),
        "soon": make_exam("Soon", start_date=NOW + timedelta(microseconds=1)),
        "ended": make_exam("Ended", end_date=NOW),
        "taken": make_exam("Taken"),
    }


def slugs(user, path="exams/", **query):
    return [exam["slug"] for exam in Api(user).get(path, query)["results"]]


def test_the_list_shows_what_a_student_may_see_latest_start_first(term, asha, dev):
    """Drafts and other batches' exams should be left out."""
    assert slugs(asha) == ["soon", "open", "batch", "ended", "taken"]
    assert slugs(dev) == ["soon", "open", "ended", "taken"]


def test_the_states(term, asha):
    """`?state=` should be the same as the three lists."""
    api = Api(asha)
    attempt = api.post("exams/taken/attempts/", status=201)
    expected = {"available": ["open", "batch"], "upcoming": ["soon"], "history": ["taken"]}
    for state, found in expected.items():
        assert slugs(asha, f"exams/{state}/") == found
        by_parameter, by_path = api.get("exams/", {"state": state}), api.get(f"exams/{state}/")
        assert by_parameter["results"] == by_path["results"]
    history = api.get("exams/history/")["results"][0]
    assert [own["id"] for own in history["attempts"]] == [attempt["id"]]
    assert history == api.get("exams/taken/")


def test_who_has_an_attempt_keeps_the_exam(term, asha):
    api = Api(asha)
    api.post("exams/batch/attempts/", status=201)
    asha.batches.clear()
    term["batch"].published = False
    term["batch"].save()

    assert slugs(asha, "exams/history/") == ["batch"]
    assert api.get("exams/batch/")["slug"] == "batch"


def test_staff_see_exams_as_students_of_no_batch(term, admin):
    assert slugs(admin) == ["soon", "open", "ended", "taken"]


def test_filters(term, asha):
    make_exam("Bank 50% Clerk", course="IBPS")

    assert slugs(asha, course="ibps") == ["bank-50-clerk"]
    assert slugs(asha, course="ib") == []
    assert slugs(asha, q="CLERK") == ["bank-50-clerk"]
    assert slugs(asha, q="%") == ["bank-50-clerk"]
    assert slugs(asha, "exams/available/", q="soon") == []
    assert Api(asha).get("exams/?q=clerk&q=soon")["results"][0]["slug"] == "soon"


def test_wrong_parameters_are_named(term, asha):
    api = Api(asha)
    assert list(api.get("exams/", {"state": "running"}, status=400)) == ["state"]
    for name in ("q", "course"):
        assert list(api.get("exams/", {name: "a\0b"}, status=400)) == [name]
    for page in ("0", "99", "x", "-1", "last"):
        assert api.get("exams/", {"page": page}, status=404) == {"detail": "Invalid page."}


def test_pages_keep_every_other_parameter(asha, at):
    at(NOW)
    for n in range(21):
        make_exam(f"Exam {n}", questions=[])

    first = Api(asha).get("exams/", {"q": "exam", "state": "available", "extra": "1"})
    second = Api(asha).get(first["next"])

    assert (first["count"], first["per_page"], first["previous"]) == (21, 20, None)
    assert first["next"] == "http://localhost/api/v2.1/exams/?extra=1&page=2&q=exam&state=available"
    assert second["previous"] == "http://localhost/api/v2.1/exams/?extra=1&q=exam&state=available"
    assert len(second["results"]) == 1


def test_dates_carry_the_institutes_own_offset(asha, at):
    at(NOW)
    make_exam(end_date=NOW + timedelta(seconds=1, milliseconds=500))
    exam = Api(asha).get("exams/")["results"][0]
    assert (exam["start_date"], exam["end_date"]) == ("2026-03-02T11:00:00+05:30", "2026-03-02T12:00:01.500+05:30")

    Institute.objects.update_or_create(id=1, defaults={"name": "Institute", "time_zone": "UTC"})
    at(NOW + timedelta(minutes=2))
    assert Api(asha).get("exams/")["results"][0]["start_date"] == "2026-03-02T05:30:00+00:00"


def test_a_long_duration_does_not_roll_over_into_days(asha, at):
    at(NOW)
    make_exam(duration=timedelta(hours=26))

    assert Api(asha).get("exams/")["results"][0]["duration"] == "26:00:00"


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_whatever_the_rows(asha, at, statements, rows):
    """page, counted, with the user. History: user; page, counted; attempts; how many have which score; same score."""
    at(NOW)
    api = Api(asha)
    for n in range(rows):
        make_exam(f"Taken {n}")
        attempt = api.post(f"exams/taken-{n}/attempts/", status=201)
        api.put(f"attempts/{attempt['id']}/end/")
    with statements(1):
        assert api.get("exams/")["count"] == rows
    with statements(5):
        assert api.get("exams/history/")["count"] == rows


def test_a_filter_that_says_nothing_leaves_the_list_as_it_is(term, asha, chitra, dev, teacher):
    """Both ways of asking should know who may see what, and in which order."""
    for user in (asha, chitra, dev, teacher):
        api = Api(user)
        plain, filtered = api.get("exams/"), api.get("exams/", {"q": ""})
        assert plain == filtered
    assert [len(slugs(user)) for user in (asha, dev)] == [5, 4]


def test_logged_out(term):
    for path in ("exams/", "exams/available/", "exams/open/", "exams/open/attempts/"):
        Api().get(path, status=401)
