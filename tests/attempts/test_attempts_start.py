"""POST /exams/<slug>/attempts/: starting an attempt."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.http import Http404

from attempts import lifecycle
from attempts.models import Attempt, AttemptItem
from exams.models import Exam, ExamQuestion
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


def refused(user, exam, code, status=403):
    answer = Api(user).post(f"exams/{exam.slug}/attempts/", status=status)
    assert answer.get("code") == code
    assert set(answer) == ({"detail", "code"} if code else {"detail"})


def test_start_twice_answers_the_running_attempt_with_its_clock_untouched(asha, at):
    """A client whose first answer was lost should be able to ask again: 200 and the same attempt."""
    exam = make_exam()
    at(NOW)
    first = Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)
    at(NOW + timedelta(minutes=10))

    assert Api(asha).post(f"exams/{exam.slug}/attempts/", status=200) == first


def test_start_with_a_running_attempt_comes_before_any_other_check(asha, at):
    """An attempt goes on after the window closed, the batch is lost and the exam is a draft again."""
    exam = make_exam(batches=["EEE"], allow_retake=False, end_date=NOW + timedelta(minutes=5))
    at(NOW)
    first = Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)
    at(NOW + timedelta(minutes=10))
    asha.batches.clear()
    exam.published = False
    exam.save()

    assert Api(asha).post(f"exams/{exam.slug}/attempts/", status=200)["id"] == first["id"]


def test_start_before_the_window(asha, at):
    exam = make_exam(start_date=NOW)
    at(NOW - timedelta(microseconds=1))
    refused(asha, exam, "exam_not_started")
    at(NOW)
    Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)


def test_start_after_the_window(asha, at):
    exam = make_exam(end_date=NOW)
    at(NOW)
    refused(asha, exam, "exam_ended")
    at(NOW - timedelta(microseconds=1))
    Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)


def test_start_of_another_batches_exam(chitra, at):
    at(NOW)
    refused(chitra, make_exam(batches=["EEE"]), "not_available")
    assert not Attempt.objects.exists()


def test_start_of_a_draft(asha, at):
    at(NOW)
    refused(asha, make_exam(published=False), None, status=404)


def test_start_of_an_exam_without_questions(asha, at):
    at(NOW)
    refused(asha, make_exam(questions=[]), "not_available")
    assert not Attempt.objects.exists()


def test_a_retake_where_there_are_none(sit):
    sitting = sit(make_exam(allow_retake=False))
    sitting.put("end/")
    refused(sitting.stored.user, sitting.exam, "retake_not_allowed")


def test_a_retake_of_an_exam_that_is_no_longer_open(sit):
    """Who has an attempt keeps it, and begins no other once the exam is a draft."""
    sitting = sit(make_exam())
    sitting.put("end/")
    sitting.exam.published = False
    sitting.exam.save()

    refused(sitting.stored.user, sitting.exam, "not_available")
    sitting.get("review/")


def test_retakes_up_to_the_limit(asha, at):
    """`max_retakes` 2 should allow three attempts in all."""
    at(NOW)
    api, exam = Api(asha), make_exam(max_retakes=2)
    for number in (1, 2, 3):
        attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)
        api.put(f"attempts/{attempt['id']}/end/")
        assert api.get("attempts/")["results"][0]["remaining_attempts"] == 3 - number

    refused(asha, exam, "no_attempts_left")


def test_retakes_without_limit(asha, at):
    at(NOW)
    api = Api(asha)
    for unlimited in (None, -1):
        exam = make_exam(f"Exam {unlimited}", max_retakes=unlimited)
        for _ in range(3):
            attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)
            api.put(f"attempts/{attempt['id']}/end/")
        assert api.get("attempts/")["results"][0]["remaining_attempts"] is None


def test_start_of_an_exam_edited_since_it_was_read(asha, at):
    """A start that waited for an edit should go by what the edit wrote; of a deleted exam there is nothing to start."""
    at(NOW)
    exam = make_exam()
    Exam.objects.update(duration=timedelta(minutes=5), paper_version=F("paper_version") + 1)

    attempt, begun = lifecycle.start(exam, asha)

    assert (begun, attempt.time_allowed) == (True, timedelta(minutes=5))
    gone = make_exam("Gone")
    ExamQuestion.objects.filter(exam=gone).delete()
    Exam.objects.filter(pk=gone.pk).delete()
    with pytest.raises(Http404):
        lifecycle.start(gone, asha)


def test_start_keeps_the_time_allowed_when_the_exam_changes(sit):
    """A later change of the exam's duration should touch no attempt that has begun."""
    sitting = sit(make_exam())
    sitting.exam.duration = timedelta(minutes=5)
    sitting.exam.save()

    assert sitting.get()["remaining_time"] == "0:30:00"


def test_start_without_pauses_answers_an_attempt_whose_time_is_over_completed(sit, at):
    """POST should answer 200 with it, completed, and start nothing."""
    sitting = sit(make_exam(allow_pause=False))
    at(NOW + timedelta(minutes=30, seconds=1))

    answer = sitting.api.post(f"exams/{sitting.exam.slug}/attempts/", status=200)

    assert (answer["id"], answer["state"], answer["remaining_time"]) == (sitting.id, "Completed", "0:00:00")
    assert Attempt.objects.count() == 1


def test_start_costs_the_same_whatever_the_number_of_questions(asha, at, statements):
    """exam with the user, its lock, newest attempt, attempt, items."""
    at(NOW)
    for count in (1, 200):
        exam = make_exam(f"Exam of {count}", questions=["R"] * count)
        api = Api(asha)
        with statements(5):
            api.post(f"exams/{exam.slug}/attempts/", status=201)
        assert AttemptItem.objects.filter(attempt__exam=exam).count() == count
