"""The clock's arithmetic, as a table and as properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attempts.clock import Clock

T0 = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def s(seconds):
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("remaining", "elapsed", "left", "over"),
    [
        (60, 0, 60, False),
        (60, 0.4, 59.6, False),
        (60, 59.999, 0.001, False),
        (60, 60, 0, False),
        (60, 60.001, 0, True),
        (60, 99999, 0, True),
        (0, 0, 0, False),
        (0, 0.001, 0, True),
        (60, -5, 60, False),
    ],
)
def test_charge(remaining, elapsed, left, over):
    """A charge takes the time since the last start, never less than nothing nor more than what is left."""
    clock = Clock(s(remaining), T0)
    now = T0 + s(elapsed)

    assert clock.is_over(now) is over
    assert clock.left(now) == s(left)
    assert clock.charged(now) == Clock(s(left), max(T0, now), s(remaining) - s(left))


def test_resume_charges_nothing():
    assert Clock(s(60), T0, s(7)).resumed(T0 + s(500)) == Clock(s(60), T0 + s(500), s(7))


def test_resume_never_moves_the_last_start_back():
    assert Clock(s(60), T0).resumed(T0 - s(120)) == Clock(s(60), T0)


def test_attributed_empties_what_no_question_has():
    assert Clock(s(60), T0, s(7)).attributed() == Clock(s(60), T0)


microseconds = st.integers(0, 10**10).map(lambda n: timedelta(microseconds=n))
steps = st.lists(
    st.tuples(
        st.sampled_from(["charge", "resume", "save"]),
        st.integers(-(10**8), 10**9).map(lambda n: timedelta(microseconds=n)),
    ),
    max_size=40,
)


@given(allowed=microseconds, steps=steps)
def test_any_sequence_keeps_the_invariants_and_equals_a_plain_count(allowed, steps):
    """What is left never grows or falls below nothing, starts never move back, and no charged time is lost."""
    clock, now = Clock(allowed, T0), T0
    running_from, taken, given_to_questions = T0, s(0), s(0)
    for verb, elapsed in steps:
        now += elapsed
        before = clock
        if verb == "resume":
            clock = clock.resumed(now)
        else:
            clock = clock.charged(now)
            taken = min(taken + max(now - running_from, s(0)), allowed)
        if verb == "save":
            given_to_questions += clock.unattributed
            clock = clock.attributed()
        running_from = max(running_from, now)

        assert s(0) <= clock.remaining <= before.remaining
        assert clock.last_started == running_from >= before.last_started
        assert clock.remaining == allowed - taken
        assert given_to_questions + clock.unattributed == taken
