"""Ranks and percentiles against a plain count."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.models import User
from attempts import ranking
from attempts.models import Attempt
from attempts.ranking import Standing, percentile, standings
from tests.conftest import NOW, make_exam


def completed(exam, user, score, seconds, *, number=1, ranked=True):
    taken = timedelta(seconds=seconds)
    return Attempt.objects.create(
        exam=exam,
        user=user,
        number=number,
        state="Completed",
        date=NOW,
        time_allowed=exam.duration,
        remaining_time=exam.duration - taken,
        last_started_time=NOW + taken,
        score=Decimal(score),
        seconds_taken=seconds,
        ranked=ranked,
    )


def students(count):
    return User.objects.bulk_create(User(username=f"student{n}") for n in range(count))


def of(attempts, now=NOW):
    found = standings(list(attempts), now=now)
    return [found[attempt.pk] for attempt in attempts]


def test_equal_scores_are_told_apart_by_time_and_equal_times_share_a_rank(db):
    """Ranks should go 1, 2, 2, 4."""
    exam = make_exam(enable_ranks=True)
    results = [("3.00", 100), ("2.00", 50), ("2.00", 50), ("2.00", 51), ("-0.25", 1)]
    attempts = [completed(exam, user, *result) for user, result in zip(students(5), results, strict=True)]

    assert of(attempts) == [
        Standing(1, 5, 100),
        Standing(2, 5, 80),
        Standing(2, 5, 80),
        Standing(4, 5, 80),
        Standing(5, 5, 20),
    ]


def test_without_ranks_only_the_percentile_shows(db):
    exam = make_exam(enable_ranks=False)
    attempts = [completed(exam, user, score, 9) for user, score in zip(students(3), ["1", "2", "3"], strict=True)]

    assert of(attempts) == [Standing("NA", 0, 33.33), Standing("NA", 0, 66.67), Standing("NA", 0, 100)]


def test_before_the_publishing_date_nothing_shows(db):
    exam = make_exam(enable_ranks=True, rank_publishing_date=NOW + timedelta(seconds=1))
    attempts = [completed(exam, students(1)[0], "3.00", 9)]

    assert of(attempts) == [Standing("NA", 0, 0)]
    assert of(attempts, now=NOW + timedelta(seconds=1)) == [Standing(1, 1, 100)]


def test_a_retake_is_compared_with_the_ranked_and_is_not_one_of_them(db):
    exam = make_exam(enable_ranks=True)
    first, second = students(2)
    completed(exam, first, "1.00", 9)
    completed(exam, second, "3.00", 9)
    retake = completed(exam, first, "2.00", 9, number=2, ranked=False)

    assert of([retake]) == [Standing("NA", 0, 50)]


def test_a_running_attempt_has_no_standing(db):
    exam = make_exam(enable_ranks=True)
    first, second = students(2)
    completed(exam, first, "1.00", 9)
    running = completed(exam, second, "0.00", 0, ranked=False)
    Attempt.objects.filter(pk=running.pk).update(state="Running")
    running.refresh_from_db()

    assert of([running]) == [Standing("NA", 0, 0)]


def test_another_exams_results_do_not_count(db):
    exam, other = make_exam(enable_ranks=True), make_exam("Other", enable_ranks=True)
    user = students(1)[0]
    attempts = [completed(exam, user, "1.00", 9), completed(other, user, "2.00", 9)]

    assert of(attempts) == [Standing(1, 1, 100), Standing(1, 1, 100)]


def test_where_nobody_is_ranked_the_percentile_is_nought(teacher):
    """An exam that only staff took."""
    assert of([completed(make_exam(), teacher, "1.00", 9, ranked=False)]) == [Standing("NA", 0, 0)]


@pytest.mark.parametrize("rows", [1, 3])
def test_standings_cost_two_statements(db, statements, rows):
    """How many have which score; how many of the same score were quicker."""
    attempts = [
        completed(make_exam(f"Exam {n}", enable_ranks=True), students_, "1.00", 9)
        for n, students_ in enumerate(students(rows))
    ]
    for attempt in attempts:
        assert attempt.exam.course  # what a list reads with its attempts

    with statements(2):
        standings(attempts, now=NOW)


def test_percentile_is_an_int_where_it_is_whole():
    assert [percentile(4, 5), percentile(46, 55), percentile(1, 1), percentile(0, 3)] == [80, 83.64, 100, 0]
    assert isinstance(percentile(4, 5), int)
    assert isinstance(percentile(46, 55), float)


def plain(all_results, score, seconds):
    """The standing of a ranked result, counted one by one."""
    better = sum(1 for s, t in all_results if s > score or (s == score and t < seconds))
    no_better = sum(1 for s, _ in all_results if s <= score)
    share = (Decimal(100 * no_better) / len(all_results) + Decimal("0.005")) // Decimal("0.01") / 100
    return Standing(better + 1, len(all_results), float(share))


results = st.lists(
    st.tuples(st.integers(-8, 12).map(lambda quarters: Decimal(quarters) / 4), st.integers(0, 4)),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("exact_up_to", [1000, 0], ids=["counted at once", "counts kept"])
@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=results)
def test_standings_equal_a_plain_count(db, monkeypatch, exact_up_to, results):
    """Also where the counts are kept, right after they were read."""
    monkeypatch.setattr(ranking, "EXACT_UP_TO", exact_up_to)
    Attempt.objects.all().delete()
    User.objects.all().delete()
    exam = make_exam(enable_ranks=True, questions=[])
    attempts = [completed(exam, user, *result) for user, result in zip(students(len(results)), results, strict=True)]

    assert of(attempts) == [plain(results, *result) for result in results]


def test_beyond_the_exact_number_ones_own_result_shows_at_once_and_others_later(db, at, monkeypatch):
    """A student's own result should count at once, another's within ten seconds."""
    monkeypatch.setattr(ranking, "EXACT_UP_TO", 2)
    at(NOW)
    exam = make_exam(enable_ranks=True)
    users = students(6)
    three = [completed(exam, user, score, 9) for user, score in zip(users, ["1", "2", "3"], strict=False)]
    assert of(three) == [Standing(3, 3, 33.33), Standing(2, 3, 66.67), Standing(1, 3, 100)]

    own = completed(exam, users[3], "2.50", 9)
    assert of([own]) == [Standing(2, 4, 75)]
    assert of(three[:1]) == [Standing(3, 3, 33.33)]

    assert of(three[:1], now=NOW + timedelta(seconds=10)) == [Standing(4, 4, 25)]
