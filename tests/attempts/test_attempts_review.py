"""GET /attempts/<id>/review/."""

import pytest

from tests.conftest import Api, make_exam, make_question


@pytest.fixture
def reviewed(sit):
    """Right and marked for review, wrong, unanswered, an essay with text."""
    exam = make_exam(questions=["R", "R", "R", make_question("E", topics=["Rivers"])])
    sitting = sit(exam)
    right, wrong, _, essay = sitting.items()
    sitting.answer_rightly(right)
    sitting.save(right, review=True)
    sitting.answer_wrongly(wrong)
    sitting.save(essay, essay_text="Long ago…")
    sitting.put("end/")
    return sitting


def test_review_adds_the_key_and_the_explanation(reviewed):
    page = reviewed.get("review/")

    first = page["results"][0]
    assert page["count"] == 4
    assert list(first["question"]) == [
        "question_html",
        "direction",
        "answers",
        "essay_topics",
        "subject",
        "type",
        "explanation_html",
    ]
    assert first["question"]["explanation_html"] == "<p>Because.</p>"
    assert [answer["is_correct"] for answer in first["question"]["answers"]] == [True, False, False, False]
    assert first["selected_answers"] == [first["question"]["answers"][0]["id"]]
    assert list(first["question"]["answers"][0]) == ["text_html", "id", "is_correct"]


def test_review_filters_by_state(reviewed):
    shown = {
        state: [item["question"]["question_html"][-5] for item in reviewed.get("review/", {"state": state})["results"]]
        for state in ("all", "correct", "incorrect", "review")
    }
    unanswered = reviewed.get("review/", {"state": "unanswered"})["results"]

    assert shown == {"all": ["0", "1", "2", "?"], "correct": ["0"], "incorrect": ["1"], "review": ["0"]}
    assert [item["question"]["type"] for item in unanswered] == ["R", "E"]


def test_review_of_an_unknown_state(reviewed):
    for wrong in ("x", "Correct", "\0"):
        assert list(reviewed.get("review/", {"state": wrong}, status=400)) == ["state"]


def test_review_where_answers_are_not_shown(reviewed):
    """Neither keys nor explanations should show, nor should a filter tell them."""
    reviewed.exam.show_answers = False
    reviewed.exam.save()

    for item in reviewed.get("review/")["results"]:
        assert item["question"]["explanation_html"] == ""
        assert [answer["is_correct"] for answer in item["question"]["answers"]] in ([None] * 4, [])
    for state in ("correct", "incorrect"):
        assert list(reviewed.get("review/", {"state": state}, status=400)) == ["state"]
    assert reviewed.get("review/", {"state": "unanswered"})["count"] == 2


def test_review_of_a_running_attempt(sit):
    assert sit(make_exam()).get("review/", status=403)["code"] == "attempt_not_completed"


def test_review_of_another_student(reviewed, balu):
    assert Api(balu).get(f"attempts/{reviewed.id}/review/", status=403)["code"] == "not_available"


def test_review_keeps_its_filter_over_pages(sit):
    sitting = sit(make_exam(questions=["R"] * 25))
    sitting.put("end/")

    page = sitting.get("review/", {"state": "unanswered"})

    assert page["next"] == f"http://localhost/api/v2.1/attempts/{sitting.id}/review/?page=2&state=unanswered"
    assert len(sitting.api.get(page["next"])["results"]) == 5


def test_review_costs_two_statements_once_the_paper_is_cached(sit, statements):
    """attempt with its user and exam; the page's items, counted (or, filtered, all of them)."""
    for count in (1, 30):
        sitting = sit(make_exam(f"Exam of {count}", questions=["R"] * count))
        sitting.put("end/")
        with statements(2):
            sitting.get("review/")
        with statements(2):
            sitting.get("review/", {"state": "unanswered"})
