"""POST /exams/<slug>/attempts/: starting an attempt."""

from datetime import timedelta

from attempts.models import Attempt, AttemptItem
from tests.conftest import NOW, Api, make_exam


def test_start_begins_an_attempt_for_a_student(asha, at):
    """A student should get 201 and the attempt, in the documented shape, with the whole time left."""
    at(NOW)
    exam = make_exam(batches=["EEE"])

    attempt = Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)

    stored = Attempt.objects.get()
    root = "http://localhost/api/v2.1"
    assert attempt == {
        "url": f"{root}/attempts/{stored.pk}/",
        "id": stored.pk,
        "exam": {
            "url": f"{root}/exams/general-studies/",
            "id": exam.pk,
            "title": "General Studies",
            "description": "",
            "course": "TNPSC",
            "start_date": "2026-03-02T11:00:00+05:30",
            "end_date": None,
            "duration": "0:30:00",
            "number_of_questions": 3,
            "negative_marks": "0.25",
            "mark_per_question": "1.00",
            "template_type": 1,
            "allow_retake": True,
            "max_retakes": None,
            "enable_ranks": False,
            "rank_publishing_date": None,
            "allow_pdf": False,
            "created": "2026-03-02T06:30:00Z",
            "slug": "general-studies",
            "variable_mark_per_question": False,
            "show_answers": True,
        },
        "user": "asha",
        "date": "2026-03-02T06:30:00.000Z",
        "total_questions": 3,
        "score": "0.00",
        "review_url": f"{root}/attempts/{stored.pk}/review/",
        "questions_url": f"{root}/attempts/{stored.pk}/questions/",
        "percentile": 0,
        "correct_count": 0,
        "incorrect_count": 0,
        "last_started_time": "2026-03-02T06:30:00.000Z",
        "remaining_time": "0:30:00",
        "time_taken": "0:00:00",
        "state": "Running",
        "rank": "NA",
        "max_rank": 0,
        "percentage": "0",
        "unanswered_count": 0,
        "commented_questions_count": 0,
        "comments_count": 0,
        "total_bonus": 0,
    }
    assert AttemptItem.objects.filter(attempt=stored).count() == 3
