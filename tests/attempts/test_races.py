"""What must hold when calls meet: threads with connections of their own, through the whole stack."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from attempts import lifecycle
from attempts.models import Attempt, AttemptItem
from tests.attempts.conftest import Sitting
from tests.conftest import Api, make_exam

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 10


def in_thread(call):
    """What the call gives; the connection that the thread has opened for it is closed."""
    try:
        return call()
    finally:
        connections.close_all()


def at_once(*calls):
    """Runs the calls in threads that begin together; their results in order."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        return in_thread(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


class Caller(Api):
    """Gives (status, answer) of any status."""

    def call(self, method, path, data=None, **extra):
        self.response = getattr(super(Api, self), method)(f"/api/v2.1/{path}", data, **extra)
        return self.response.status_code, self.response.json()


@pytest.fixture
def overtaken(monkeypatch):
    """Lets a call happen right before the next save or heartbeat writes what it has read: `overtaken(call)`."""
    swap = lifecycle._swap

    def by(call):
        def late(*args):
            monkeypatch.setattr(lifecycle, "_swap", swap)
            call()
            return swap(*args)

        monkeypatch.setattr(lifecycle, "_swap", late)

    return by


@pytest.fixture
def sitting(asha):
    """Asha's running attempt at an exam of three questions; the clock runs."""
    return Sitting(asha, make_exam())


def test_a_save_overtaken_by_the_end_leaves_nothing(sitting, overtaken):
    item = sitting.items()[0]
    overtaken(lambda: sitting.put("end/"))

    answer = sitting.save(item, review=True, status=403)

    assert answer["code"] == "attempt_completed"
    assert AttemptItem.objects.get(pk=item["id"]).review is None


@pytest.mark.parametrize("same", [True, False])
def test_a_save_overtaken_by_a_save_loses_no_time_and_neither_answer(sitting, overtaken, same):
    item, other, *_ = sitting.items()
    first = item if same else other
    overtaken(lambda: sitting.save(first, review=True))

    chosen = [item["question"]["answers"][0]["id"]]
    sitting.save(item, selected_answers=chosen)

    stored = sitting.stored
    assert AttemptItem.objects.get(pk=item["id"]).selected_answers == chosen
    assert AttemptItem.objects.get(pk=first["id"]).review is True
    durations = [found.duration for found in stored.items.exclude(duration=None)]
    assert sum(durations[1:], durations[0]) == stored.time_allowed - stored.remaining_time


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite locks the whole database when a transaction begins"
)
def test_a_save_takes_the_attempt_before_the_item(sitting, asha):
    """Whoever holds the attempt should be free to write its items: else the two would wait for each other."""
    item = sitting.items()[0]
    chosen = [item["question"]["answers"][0]["id"]]

    def save():
        return Caller(asha).put(sitting.path(item), {"selected_answers": chosen})

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            Attempt.objects.select_for_update().get()
            saved = pool.submit(in_thread, save)
            waiting = None
            while waiting is None:
                cursor.execute("SELECT 1 FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
                waiting = cursor.fetchone()
            AttemptItem.objects.filter(pk=item["id"]).update(review=True)
        status, answer = saved.result()

    assert (status, answer["selected_answers"]) == (200, chosen)
    stored = AttemptItem.objects.get(pk=item["id"])
    assert (stored.selected_answers, stored.review) == (chosen, True)


def test_a_heartbeat_overtaken_by_a_save_takes_nothing_from_it(sitting, overtaken):
    item = sitting.items()[0]
    overtaken(lambda: sitting.save(item, review=True))

    sitting.put("heartbeat/")

    stored = sitting.stored
    duration = AttemptItem.objects.get(pk=item["id"]).duration
    assert duration + stored.unattributed_time == stored.time_allowed - stored.remaining_time
    assert stored.last_started_time - stored.date == stored.time_allowed - stored.remaining_time


def test_a_heartbeat_overtaken_by_the_end_answers_the_result(sitting, overtaken):
    overtaken(lambda: sitting.put("end/"))

    assert sitting.put("heartbeat/")["state"] == "Completed"


def test_ten_starts_at_once_make_one_attempt(asha):
    """All should answer with the same attempt, and one of them only with 201."""
    exam = make_exam()

    answers = at_once(*[lambda: Caller(asha).post(f"exams/{exam.slug}/attempts/")] * CALLERS)

    assert sorted(status for status, _ in answers) == [200] * (CALLERS - 1) + [201]
    assert len({answer["id"] for _, answer in answers}) == 1
    assert Attempt.objects.count() == 1
    assert AttemptItem.objects.count() == 3


def test_the_retake_limit_holds_when_ends_and_starts_meet(asha):
    """Each thread starts and ends as often as it may; together no more than the limit."""
    exam = make_exam(max_retakes=4, questions=["R"])

    def start_and_end():
        found = []
        for _ in range(5):
            status, answer = Caller(asha).post(f"exams/{exam.slug}/attempts/")
            found.append(status)
            if status < 300:
                Caller(asha).put(f"attempts/{answer['id']}/end/")
        return found

    statuses = [status for found in at_once(*[start_and_end] * 4) for status in found]

    assert statuses.count(201) == 5
    assert set(statuses) <= {200, 201, 403}
    numbers = Attempt.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4, 5]
    assert Attempt.objects.ranked().count() == 1


def test_ten_ends_at_once_grade_once_and_answer_alike(asha):
    exam = make_exam()
    attempt = Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)

    answers = at_once(*[lambda: Caller(asha).put(f"attempts/{attempt['id']}/end/")] * CALLERS)

    assert [status for status, _ in answers] == [200] * CALLERS
    assert all(answer == answers[0][1] for _, answer in answers)


@pytest.mark.parametrize("turn", range(3))
def test_a_save_that_got_200_while_the_end_ran_is_in_the_result(asha, turn):
    """And one that came too late got 403 and left nothing."""
    exam = make_exam(questions=["R"] * 8)
    api = Api(asha)
    attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)["id"]
    items = api.get(f"attempts/{attempt}/questions/")["results"]

    def save(item):
        first = item["question"]["answers"][0]["id"]  # the correct one
        return Caller(asha).put(f"attempts/{attempt}/questions/{item['id']}/", {"selected_answers": [first]})

    *saves, (ended, result) = at_once(
        *[lambda item=item: save(item) for item in items], lambda: Caller(asha).put(f"attempts/{attempt}/end/")
    )

    assert ended == 200
    kept = [item["id"] for item, (status, _) in zip(items, saves, strict=True) if status == 200]
    late = [answer["code"] for status, answer in saves if status != 200]
    assert set(late) <= {"attempt_completed"}
    assert result["correct_count"] == len(kept)
    answered = AttemptItem.objects.exclude(selected_answers=[]).values_list("pk", flat=True)
    assert sorted(answered) == sorted(kept)


def test_parallel_saves_lose_no_time_and_no_answer(asha):
    """The time given to the questions should be the time taken."""
    exam = make_exam(questions=["C"] * 4)
    api = Api(asha)
    attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)["id"]
    items = api.get(f"attempts/{attempt}/questions/")["results"]

    def saves(place):
        found = []
        for turn in range(4):
            item = items[(place + turn) % 4]
            path = f"attempts/{attempt}/questions/{item['id']}/"
            found.append(Caller(asha).put(path, {"selected_answers": [item["question"]["answers"][place]["id"]]})[0])
        return found

    statuses = at_once(*[lambda place=place: saves(place) for place in range(4)])

    assert statuses == [[200] * 4] * 4
    stored = Attempt.objects.get()
    durations = [item.duration for item in stored.items.all()]
    assert sum(durations[1:], durations[0]) == stored.time_allowed - stored.remaining_time
    assert all(len(item.selected_answers) == 1 for item in stored.items.all())


def test_parallel_saves_of_one_item_each_keep_what_the_other_wrote(asha):
    """One sends the answer, the other the mark for review; both should stay."""
    exam = make_exam(questions=["R"])
    api = Api(asha)
    attempt = api.post(f"exams/{exam.slug}/attempts/", status=201)["id"]
    item = api.get(f"attempts/{attempt}/questions/")["results"][0]
    path = f"attempts/{attempt}/questions/{item['id']}/"
    chosen = [item["question"]["answers"][0]["id"]]

    at_once(
        *[lambda: Caller(asha).put(path, {"selected_answers": chosen})] * 4,
        *[lambda: Caller(asha).put(path, {"review": True})] * 4,
    )

    stored = AttemptItem.objects.get()
    assert (stored.selected_answers, stored.review) == (chosen, True)
    assert stored.duration == stored.attempt.time_allowed - stored.attempt.remaining_time


def test_a_deadlock_free_mix_of_calls(asha, balu):
    """Two students' calls of every kind at once should all be answered."""
    exam = make_exam(max_retakes=None)

    def everything(user):
        found = []
        for _ in range(3):
            status, attempt = Caller(user).post(f"exams/{exam.slug}/attempts/")
            found.append(status)
            for verb in ("heartbeat/", "start/", "end/"):
                found.append(Caller(user).put(f"attempts/{attempt['id']}/{verb}")[0])
        return found

    statuses = [s for found in at_once(*[lambda u=u: everything(u) for u in (asha, balu) * 3]) for s in found]

    assert set(statuses) <= {200, 201, 403}
    assert not Attempt.objects.running().exists()
