"""The arithmetic of an attempt's clock: plain values in, plain values out.

A clock says what was left at the moment it was last started. Charging it takes off the time since then and starts it
anew; always `allowed - remaining` is the time taken. The moments come from the servers' clocks, which may differ a
little: `last_started` never moves back and no charge is negative, so a difference costs at most itself, once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Clock:
    """`remaining` is what was left at `last_started`; `unattributed` has been charged but to no question yet."""

    remaining: timedelta
    last_started: datetime
    unattributed: timedelta = ZERO

    def due(self, now: datetime) -> timedelta:
        """The time since the last start, which the next charge takes; never negative."""
        return max(now - self.last_started, ZERO)

    def is_over(self, now: datetime) -> bool:
        """Whether a charge at `now` would exceed what is left."""
        return self.due(now) > self.remaining

    def left(self, now: datetime) -> timedelta:
        """What is left at `now` if the clock has run since its last start; never negative."""
        return max(self.remaining - self.due(now), ZERO)

    def charged(self, now: datetime) -> "Clock":
        """Charged at `now`: with what is left then, started anew."""
        left = self.left(now)
        return Clock(left, max(self.last_started, now), self.unattributed + self.remaining - left)

    def resumed(self, now: datetime) -> "Clock":
        """Started anew at `now`, the time since the last start let go."""
        return replace(self, last_started=max(self.last_started, now))

    def attributed(self) -> "Clock":
        """With all that was charged given to a question."""
        return replace(self, unattributed=ZERO)
