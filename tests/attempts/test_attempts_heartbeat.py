"""PUT /attempts/<id>/heartbeat/ and /start/: the clock through the API."""

from datetime import timedelta

from tests.conftest import NOW, Api, make_exam


def clock(attempt):
    return attempt["remaining_time"], attempt["time_taken"], attempt["last_started_time"][11:]


def test_heartbeat_charges_the_time_since_the_last_start(sit, at):
    sitting = sit(make_exam())
    at(NOW + timedelta(seconds=60, milliseconds=900))
    assert clock(sitting.put("heartbeat/")) == ("0:28:59", "0:01:01", "06:31:00.900Z")
    at(NOW + timedelta(seconds=121))
    assert clock(sitting.put("heartbeat/")) == ("0:27:59", "0:02:01", "06:32:01.000Z")


def test_a_clock_that_goes_back_charges_nothing(sit, at):
    """Another server's clock may be behind; the remaining time should not grow."""
    sitting = sit(make_exam())
    at(NOW + timedelta(seconds=60))
    sitting.put("heartbeat/")
    at(NOW + timedelta(seconds=30))
    assert clock(sitting.put("heartbeat/")) == ("0:29:00", "0:01:00", "06:31:00.000Z")
    at(NOW + timedelta(seconds=70))
    assert clock(sitting.put("heartbeat/")) == ("0:28:50", "0:01:10", "06:31:10.000Z")


def test_resume_charges_nothing(sit, at):
    sitting = sit(make_exam())
    at(NOW + timedelta(minutes=5))
    sitting.put("heartbeat/")
    at(NOW + timedelta(days=3))

    assert clock(sitting.put("start/")) == ("0:25:00", "0:05:00", "06:30:00.000Z")


def test_reading_a_paused_attempt_changes_nothing(sit, at):
    """A reader should see what was left at the last start: what the student will find."""
    sitting = sit(make_exam())
    at(NOW + timedelta(days=3))

    assert clock(sitting.get()) == ("0:30:00", "0:00:00", "06:30:00.000Z")
    assert sitting.get()["state"] == "Running"


def test_resume_after_the_window_closed(sit, at):
    """An attempt begun in the window may be resumed after `end_date`."""
    sitting = sit(make_exam(end_date=NOW + timedelta(minutes=1)))
    at(NOW + timedelta(days=3))

    assert sitting.put("start/")["state"] == "Running"


def test_heartbeat_when_the_time_is_over_completes_and_answers_the_attempt(sit, at):
    sitting = sit(make_exam())
    at(NOW + timedelta(minutes=31))

    attempt = sitting.put("heartbeat/")

    assert (attempt["state"], attempt["unanswered_count"]) == ("Completed", 3)
    assert clock(attempt) == ("0:00:00", "0:30:00", "07:01:00.000Z")
    assert sitting.put("heartbeat/") == attempt


def test_resume_of_a_completed_attempt(sit):
    sitting = sit(make_exam())
    sitting.put("end/")

    assert sitting.put("start/", status=403)["code"] == "attempt_completed"


# --- Exams that know no pauses


def test_without_pauses_resume_charges_as_well(sit, at):
    sitting = sit(make_exam(allow_pause=False))
    at(NOW + timedelta(minutes=5))

    assert clock(sitting.put("start/")) == ("0:25:00", "0:05:00", "06:35:00.000Z")


def test_without_pauses_reading_shows_what_is_left_now(sit, at):
    """The last start should stay as stored, in one attempt and in lists."""
    sitting = sit(make_exam(allow_pause=False))
    at(NOW + timedelta(minutes=5, milliseconds=500))

    left = ("0:24:59", "0:05:01", "06:30:00.000Z")
    assert clock(sitting.get()) == left
    assert clock(sitting.api.get("attempts/")["results"][0]) == left
    assert clock(sitting.api.get(f"exams/{sitting.exam.slug}/")["attempts"][0]) == left
    assert sitting.stored.remaining_time == timedelta(minutes=30)


def test_without_pauses_any_call_completes_an_attempt_whose_time_is_over(sit, at, asha, balu):
    over = NOW + timedelta(minutes=30, seconds=1)
    calls = [
        lambda sitting: sitting.get()["state"],
        lambda sitting: sitting.put("heartbeat/")["state"],
        lambda sitting: sitting.put("end/")["state"],
        lambda sitting: sitting.put("start/", status=403)["code"],
        lambda sitting: sitting.get("questions/", status=403)["code"],
        lambda sitting: sitting.get(f"questions/{sitting.stored.items.first().pk}/", status=403)["code"],
        lambda sitting: sitting.save({"id": sitting.stored.items.first().pk}, review=True, status=403)["code"],
        lambda sitting: sitting.get("review/")["count"],
    ]
    expected = ["Completed"] * 3 + ["attempt_completed"] * 4 + [3]
    for number, (call, answer) in enumerate(zip(calls, expected, strict=True)):
        sitting = sit(make_exam(f"Exam {number}", allow_pause=False))
        at(over)
        assert call(sitting) == answer
        stored = sitting.stored
        assert (stored.state, stored.remaining_time, stored.ranked) == ("Completed", timedelta(0), True)


def test_without_pauses_lists_write_nothing(sit, at):
    sitting = sit(make_exam(allow_pause=False))
    at(NOW + timedelta(hours=2))

    attempt = sitting.api.get("attempts/")["results"][0]

    assert (attempt["state"], attempt["remaining_time"], attempt["time_taken"]) == ("Running", "0:00:00", "0:30:00")
    assert sitting.stored.state == "Running"


def test_the_calls_of_another_student(sit, balu):
    """Another student should be told that it is not theirs, whatever the call."""
    sitting = sit(make_exam())
    stranger = Api(balu)
    for verb, tail in [("get", ""), ("put", "start/"), ("put", "heartbeat/"), ("put", "end/"), ("get", "questions/")]:
        answer = stranger.call(verb, f"attempts/{sitting.id}/{tail}", status=403)
        assert answer["code"] == "not_available"
    assert stranger.get(f"attempts/{sitting.id}/review/", status=403)["code"] == "not_available"
    assert sitting.stored.state == "Running"


def test_an_attempt_that_does_not_exist(asha):
    for verb, tail in [("get", ""), ("put", "start/"), ("put", "heartbeat/"), ("put", "end/"), ("get", "questions/")]:
        assert Api(asha).call(verb, f"attempts/999999999999999999/{tail}", status=404) == {"detail": "Not found."}


def test_heartbeat_costs_two_statements(sit, statements):
    """attempt, locked, with its user and exam; attempt. (The paper, whose questions are counted, is cached.)"""
    sitting = sit(make_exam())
    sitting.items()
    with statements(2):
        sitting.put("heartbeat/")
