"""PUT /attempts/<id>/questions/<id>/: saving an answer."""

from datetime import timedelta

import pytest
from django.db import connection

from attempts.models import AttemptItem
from tests.conftest import NOW, Api, make_exam, make_question


def answers(item):
    return [answer["id"] for answer in item["question"]["answers"]]


def test_save_returns_the_item(sit, at):
    sitting = sit(make_exam())
    item = sitting.items()[0]
    chosen = answers(item)[1]
    at(NOW + timedelta(seconds=41, microseconds=201331))

    saved = sitting.save(item, selected_answers=[chosen], review=True)

    assert saved == item | {"selected_answers": [chosen], "review": True, "duration": "0:00:41.201331"}
    assert sitting.items()[0] == saved
    assert sitting.api.get(sitting.path(item)) == saved


def test_save_charges_the_clock(sit, at):
    sitting = sit(make_exam())
    item = sitting.items()[0]
    at(NOW + timedelta(seconds=90))
    sitting.save(item, selected_answers=[])

    attempt = sitting.get()

    assert (attempt["remaining_time"], attempt["time_taken"]) == ("0:28:30", "0:01:30")
    assert attempt["last_started_time"] == "2026-03-02T06:31:30.000Z"


def test_each_save_adds_all_time_charged_since_the_attempts_last_save(sit, at):
    """Heartbeats in between should not lose time, pauses not add any, and another item's save ends the count."""
    sitting = sit(make_exam())
    first, second, _ = sitting.items()
    at(NOW + timedelta(seconds=10))
    sitting.put("heartbeat/")
    at(NOW + timedelta(seconds=20))
    assert sitting.save(first, review=True)["duration"] == "0:00:20"
    at(NOW + timedelta(seconds=25))
    sitting.put("heartbeat/")
    at(NOW + timedelta(seconds=500))
    sitting.put("start/")
    at(NOW + timedelta(seconds=507))

    assert sitting.save(second, review=True)["duration"] == "0:00:12"
    assert sitting.save(first, review=False)["duration"] == "0:00:20"


def test_what_is_left_out_stays_and_an_empty_list_clears(sit):
    sitting = sit(make_exam())
    item = sitting.items()[0]
    chosen = answers(item)[:1]

    sitting.save(item, selected_answers=chosen)
    assert sitting.save(item, review=True)["selected_answers"] == chosen
    assert sitting.save(item)["selected_answers"] == chosen
    cleared = sitting.save(item, selected_answers=[])
    assert (cleared["selected_answers"], cleared["review"]) == ([], True)
    assert sitting.save(item, review=None)["review"] is None


def test_several_answers_to_a_question_of_type_c(sit):
    sitting = sit(make_exam(questions=["C"]))
    item = sitting.items()[0]

    assert sitting.save(item, selected_answers=answers(item))["selected_answers"] == answers(item)


def test_an_essay_takes_text_and_a_topic(sit):
    question = make_question("E", topics=["Rivers", "Roads"])
    sitting = sit(make_exam(questions=[question]))
    item = sitting.items()[0]
    assert item["question"]["answers"] == []
    topics = item["question"]["essay_topics"]
    assert [topic["title"] for topic in topics] == ["Rivers", "Roads"]

    saved = sitting.save(item, essay_text="  Long ago…\n", essay_topic=topics[1]["id"])

    assert (saved["essay_text"], saved["essay_topic"]) == ("  Long ago…\n", topics[1]["id"])
    assert sitting.save(item, essay_topic=None, essay_text="")["essay_topic"] is None


def test_form_data_is_taken_too(sit):
    sitting = sit(make_exam(questions=["C"]))
    item = sitting.items()[0]
    chosen = answers(item)[:2]

    saved = sitting.save(item, selected_answers=chosen, review="true", format="multipart")

    assert (saved["selected_answers"], saved["review"]) == (chosen, True)


BAD = [
    ("R", {"selected_answers": "first two"}, "selected_answers"),
    ("R", {"selected_answers": [0]}, "selected_answers"),
    ("R", {"selected_answers": "first twice"}, "selected_answers"),
    ("C", {"selected_answers": "first twice"}, "selected_answers"),
    ("C", {"selected_answers": "of another question"}, "selected_answers"),
    ("E", {"selected_answers": "of another question"}, "selected_answers"),
    ("R", {"essay_text": "text"}, "essay_text"),
    ("R", {"essay_topic": 1}, "essay_topic"),
    ("E", {"essay_topic": 10**6}, "essay_topic"),
    ("E", {"essay_topic": 10**30}, "essay_topic"),
    *(("C", {"selected_answers": value}, "selected_answers") for value in (None, "1", 1, {}, ["1"], [1.5], [True])),
    *(("C", {"selected_answers": value}, "selected_answers") for value in ([None], [[1]], [10**30], [-1], [2**63])),
    *(("C", {"review": value}, "review") for value in ("true", 1, 0, [], {}, "x")),
    *(("E", {"essay_text": value}, "essay_text") for value in (True, [], {}, 1, "a\0b", "x" * 100_001)),
    *(("E", {"essay_topic": value}, "essay_topic") for value in ("1", True, [], 1.5)),
]


@pytest.mark.parametrize(("type", "data", "field"), BAD, ids=[f"{t}-{d}"[:60] for t, d, _ in BAD])
def test_a_wrong_value_is_named_and_nothing_is_written(sit, at, type, data, field):
    sitting = sit(make_exam(questions=[make_question(type, key=(0,)), "R"]))
    item, other = sitting.items()
    own = answers(item)
    words = {"first two": own[:2], "first twice": own[:1] * 2, "of another question": answers(other)[:1]}
    data = {key: words.get(value, value) if isinstance(value, str) else value for key, value in data.items()}
    at(NOW + timedelta(seconds=5))

    answer = sitting.save(item, **data, status=400)

    [[message]] = answer.values()
    assert list(answer) == [field]
    assert isinstance(message, str)
    assert sitting.items()[0] == item
    assert sitting.get()["remaining_time"] == "0:30:00"


def test_save_after_the_end(sit):
    """A save that came too late should get 403, and the sheet stay as it was graded."""
    sitting = sit(make_exam())
    item = sitting.items()[0]
    sitting.put("end/")

    assert sitting.save(item, selected_answers=answers(item)[:1], status=403)["code"] == "attempt_completed"
    assert AttemptItem.objects.get(pk=item["id"]).selected_answers == []


def test_save_when_the_time_is_over_completes_the_attempt(sit, at):
    """The call that finds the time over answers as on a completed attempt; the earlier answers are graded."""
    sitting = sit(make_exam())
    first, second, _ = sitting.items()
    sitting.answer_rightly(first)
    at(NOW + timedelta(minutes=30, microseconds=1))

    assert sitting.save(second, selected_answers=answers(second)[:1], status=403)["code"] == "attempt_completed"

    attempt = sitting.get()
    assert (attempt["state"], attempt["score"], attempt["correct_count"]) == ("Completed", "1.00", 1)
    assert (attempt["remaining_time"], attempt["time_taken"]) == ("0:00:00", "0:30:00")


def test_save_at_the_last_moment_counts(sit, at):
    sitting = sit(make_exam())
    at(NOW + timedelta(minutes=30))

    sitting.answer_rightly(sitting.items()[0])

    assert sitting.put("end/")["score"] == "1.00"


def test_save_into_another_students_attempt(sit, balu):
    sitting = sit(make_exam())
    path = sitting.path(sitting.items()[0])

    assert Api(balu).put(path, {"review": True}, status=403)["code"] == "not_available"


def test_save_of_an_item_of_another_attempt(sit, balu):
    """An item belongs to its own attempt only, also where both are the student's own."""
    mine, theirs = sit(make_exam()), sit(make_exam("Other"))
    foreign = theirs.items()[0]

    assert mine.save({"id": foreign["id"]}, review=True, status=404) == {"detail": "Not found."}
    assert mine.save({"id": 10**17}, review=True, status=404) == {"detail": "Not found."}


def test_save_costs_two_statements(sit, statements):
    """item with attempt, user and exam; attempt and item (two where the engine has no statement for both)."""
    sitting = sit(make_exam())
    item = sitting.items()[0]

    with statements(2 if connection.vendor == "postgresql" else 3):
        sitting.save(item, selected_answers=answers(item)[:1])
