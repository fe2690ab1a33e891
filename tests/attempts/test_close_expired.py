"""manage.py close_expired."""

from datetime import timedelta
from io import StringIO

from django.core.management import call_command

from attempts import lifecycle
from tests.conftest import NOW, make_exam

OVER = timedelta(minutes=30, microseconds=1)


def close_expired():
    out = StringIO()
    call_command("close_expired", stdout=out)
    return out.getvalue().strip()


def test_without_pauses_it_completes_when_the_time_is_over(sit, at):
    sitting = sit(make_exam(allow_pause=False))
    sitting.answer_rightly(sitting.items()[0])
    at(NOW + timedelta(minutes=30))
    assert close_expired() == "completed 0"
    at(NOW + OVER)
    assert close_expired() == "completed 1"
    assert close_expired() == "completed 0"

    attempt = sitting.get()
    assert (attempt["state"], attempt["score"], attempt["remaining_time"]) == ("Completed", "1.00", "0:00:00")


def test_with_pauses_it_completes_when_the_window_has_closed_as_well(sit, at):
    sitting = sit(make_exam(end_date=NOW + timedelta(hours=2)))
    endless = sit(make_exam("Endless"))
    at(NOW + timedelta(hours=1))
    assert close_expired() == "completed 0"
    at(NOW + timedelta(hours=2))
    assert close_expired() == "completed 1"
    assert (sitting.stored.state, endless.stored.state) == ("Completed", "Running")


def test_it_leaves_an_attempt_with_time_left_after_the_window(sit, at):
    """It may be going on at this moment."""
    sitting = sit(make_exam(end_date=NOW + timedelta(minutes=10)))
    at(NOW + timedelta(minutes=20))

    assert close_expired() == "completed 0"
    assert sitting.stored.state == "Running"


def test_closing_looks_again_once_it_has_the_lock(sit, at):
    """A student who came back in between should not lose their attempt."""
    sitting = sit(make_exam(allow_pause=False))
    at(NOW + timedelta(minutes=20))
    sitting.put("heartbeat/")

    assert lifecycle.close_if_expired(sitting.id, now=NOW + timedelta(minutes=29)) is False
    assert sitting.stored.state == "Running"
