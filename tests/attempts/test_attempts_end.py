"""PUT /attempts/<id>/end/: completing and grading."""

from datetime import timedelta

from attempts.models import Attempt
from tests.conftest import NOW, make_exam, make_question


def test_end_grades_the_answers(sit, at):
    exam = make_exam(questions=["R", "R", "C", "C", "R"], negative_marks="0.25")
    sitting = sit(exam)
    right, wrong, both, half, _ = sitting.items()
    sitting.answer_rightly(right)
    sitting.answer_wrongly(wrong)
    sitting.answer_rightly(both)
    sitting.save(half, selected_answers=[half["question"]["answers"][0]["id"]])
    at(NOW + timedelta(seconds=61))

    attempt = sitting.put("end/")

    result = {
        "state": "Completed",
        "score": "1.50",
        "correct_count": 2,
        "incorrect_count": 2,
        "unanswered_count": 1,
        "percentage": "30",
        "percentile": 100,
        "rank": "NA",
        "max_rank": 0,
        "remaining_time": "0:28:59",
        "time_taken": "0:01:01",
        "last_started_time": "2026-03-02T06:31:01.000Z",
    }
    assert attempt == attempt | result


def test_end_again_answers_the_same_and_grades_nothing_twice(sit, at):
    sitting = sit(make_exam())
    sitting.answer_rightly(sitting.items()[0])
    attempt = sitting.put("end/")
    at(NOW + timedelta(hours=5))

    assert sitting.put("end/") == attempt
    assert sitting.get() == attempt


def test_end_when_the_time_is_over(sit, at):
    sitting = sit(make_exam())
    at(NOW + timedelta(hours=5))

    attempt = sitting.put("end/")

    assert (attempt["remaining_time"], attempt["time_taken"], attempt["state"]) == ("0:00:00", "0:30:00", "Completed")


def test_end_with_marks_of_the_questions_own(sit):
    exam = make_exam(
        questions=[("R", ("4.00", "1.00")), ("R", (None, None)), ("R", ("0.50", None))],
        variable_mark_per_question=True,
        mark_per_question="2.00",
        negative_marks="0.50",
    )
    sitting = sit(exam)
    first, second, third = sitting.items()
    sitting.answer_rightly(first)
    sitting.answer_rightly(second)
    sitting.answer_wrongly(third)

    attempt = sitting.put("end/")

    assert (attempt["score"], attempt["percentage"]) == ("5.50", "85")


def test_without_variable_marks_the_questions_own_marks_do_not_count(sit):
    sitting = sit(make_exam(questions=[("R", ("4.00", "1.00"))]))
    sitting.answer_rightly(sitting.items()[0])

    assert sitting.put("end/")["score"] == "1.00"


def test_a_negative_score(sit):
    sitting = sit(make_exam(questions=["R", "R"], negative_marks="0.25"))
    for item in sitting.items():
        sitting.answer_wrongly(item)

    attempt = sitting.put("end/")

    assert (attempt["score"], attempt["percentage"]) == ("-0.50", "-25")


def test_an_essay_counts_as_unanswered(sit):
    sitting = sit(make_exam(questions=[make_question("E"), "R"]))
    essay, single = sitting.items()
    sitting.save(essay, essay_text="Long ago…")
    sitting.answer_rightly(single)

    attempt = sitting.put("end/")

    assert (attempt["score"], attempt["percentage"], attempt["unanswered_count"]) == ("1.00", "50", 1)


def test_ranks_show_in_every_answer(sit, asha, balu, chitra):
    exam = make_exam(enable_ranks=True)
    sittings = [sit(exam, user) for user in (asha, balu, chitra)]
    for sitting, right in zip(sittings, (1, 3, 1), strict=True):
        for item in sitting.items()[:right]:
            sitting.answer_rightly(item)
        sitting.put("end/")

    standings = [(a["rank"], a["max_rank"], a["percentile"]) for a in (sitting.put("end/") for sitting in sittings)]
    assert standings == [(2, 3, 66.67), (1, 3, 100), (2, 3, 66.67)]
    first = sittings[0]
    for shown in (
        first.get(),
        first.api.get("attempts/")["results"][0],
        first.api.get(f"exams/{exam.slug}/")["attempts"][0],
        first.api.get(f"exams/{exam.slug}/attempts/")["results"][0],
        first.api.get("exams/history/")["results"][0]["attempts"][0],
    ):
        assert (shown["rank"], shown["max_rank"], shown["percentile"]) == (2, 3, 66.67)


def test_staff_and_retakes_are_not_ranked(sit, asha, teacher):
    exam = make_exam(enable_ranks=True)
    for user in (teacher, asha, asha):
        sitting = sit(exam, user)
        sitting.put("end/")

    ranked = [(a.user.username, a.number, a.ranked) for a in Attempt.objects.order_by("id")]
    assert ranked == [("teacher", 1, False), ("asha", 1, True), ("asha", 2, False)]


def test_end_costs_the_same_whatever_the_number_of_questions(sit, statements):
    """attempt, locked, with its user and exam; answers; attempt; how many have which score; same score."""
    for count in (1, 200):
        sitting = sit(make_exam(f"Exam of {count}", questions=["R"] * count))
        sitting.items()
        with statements(5):
            sitting.put("end/")
