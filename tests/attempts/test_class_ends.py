"""A whole class ends at the same second: nobody waits for anybody, and the ranks are right afterwards."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import User
from attempts import lifecycle
from attempts.models import Attempt
from exams.models import Exam
from tests.attempts.test_races import Caller, at_once
from tests.conftest import Api, make_exam

pytestmark = pytest.mark.django_db(transaction=True)

CLASS = 20

needs_row_locks = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite's writers wait for each other, one transaction after the other"
)


@pytest.fixture
def sitting(db):
    """An exam of five questions and its class, each student with an attempt and some right answers: (user, attempt)."""
    exam = make_exam(questions=["R"] * 5, enable_ranks=True, duration=timedelta(hours=3))
    found = []
    for number in range(CLASS):
        user = User.objects.create(username=f"student{number}")
        api = Api(user)
        attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)["id"]
        items = api.get(f"attempts/{attempt}/questions/")["results"]
        for item in items[: number % 6]:
            right = item["question"]["answers"][0]["id"]
            api.put(f"attempts/{attempt}/questions/{item['id']}/", {"selected_answers": [right]})
        found.append((user, attempt))
    return found


def end(user, attempt):
    return Caller(user).put(f"attempts/{attempt}/end/")


def ranks(attempts):
    """Counted plainly: higher score first, then less time, in whole seconds."""
    keys = {attempt.pk: (-attempt.score, attempt.seconds_taken) for attempt in attempts}
    return {pk: 1 + sum(other < key for other in keys.values()) for pk, key in keys.items()}


def test_ranks_are_right_after_all_ended_at_once(sitting):
    answers = at_once(*[lambda user=user, attempt=attempt: end(user, attempt) for user, attempt in sitting])

    assert [status for status, _ in answers] == [200] * CLASS
    assert [answer["correct_count"] for _, answer in answers] == [number % 6 for number in range(CLASS)]
    told = {attempt: Api(user).get(f"attempts/{attempt}/") for user, attempt in sitting}
    expected = ranks(Attempt.objects.ranked())
    assert len(expected) == CLASS
    assert {pk: (answer["rank"], answer["max_rank"]) for pk, answer in told.items()} == {
        pk: (rank, CLASS) for pk, rank in expected.items()
    }


@needs_row_locks
@pytest.mark.parametrize("row", ["another attempt", "another attempt's sheet", "the exam's share"])
def test_nobody_waits_for_a_row_that_somebody_else_holds(row, sitting):
    """With one student's rows locked, and the exam's as a start locks it, all the others should end, save and begin."""
    (_, held), *others = sitting
    exam = Exam.objects.get()

    def verbs(user, attempt):
        caller = Caller(user)
        item = Attempt.objects.get(pk=attempt).items.first()
        calls = [
            caller.put(f"attempts/{attempt}/questions/{item.pk}/", {"review": True}),
            caller.put(f"attempts/{attempt}/heartbeat/"),
            caller.put(f"attempts/{attempt}/end/"),
            caller.post(f"exams/{exam.slug}/attempts/"),
        ]
        return [status for status, _ in calls]

    with transaction.atomic():
        with connection.cursor() as cursor:
            if row == "another attempt":
                cursor.execute("SELECT 1 FROM attempts_attempt WHERE id = %s FOR UPDATE", [held])
            elif row == "another attempt's sheet":
                cursor.execute("SELECT 1 FROM attempts_attemptitem WHERE attempt_id = %s FOR UPDATE", [held])
            else:
                cursor.execute("SELECT 1 FROM exams_exam WHERE id = %s FOR KEY SHARE", [exam.pk])
        # A wait would end with the lock timeout, as a 503.
        answers = at_once(*[lambda user=user, attempt=attempt: verbs(user, attempt) for user, attempt in others[:8]])

    assert answers == [[200, 200, 200, 201]] * 8


@needs_row_locks
def test_ends_at_once_never_block_each_other(sitting):
    """Each end pauses in its transaction until all the others are in theirs: were one to wait for another's row, the
    barrier would never fill.
    """
    barrier = threading.Barrier(CLASS)

    def end_together(user, attempt):
        with transaction.atomic():
            lifecycle.end(attempt, user)
            barrier.wait(20)

    at_once(*[lambda user=user, attempt=attempt: end_together(user, attempt) for user, attempt in sitting])

    assert Attempt.objects.completed().count() == CLASS
