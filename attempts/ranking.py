"""Ranks and percentiles, counted by the database over an exam's ranked attempts.

Ranked: each student's first completed attempt, staff left out (`Attempt.ranked`). Higher score first, then less time
in whole seconds; still equal, the same rank (1, 2, 2, 4).

An exam's scores are read as counts (how many attempts have which score), never as other students' rows, and the
attempts of the same score are counted afresh each time. Beyond `EXACT_UP_TO` attempts the counts are kept for
`LAG`: a student's own result is in at once, other students' finishing may show that much later.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate

from django.db import connection

from attempts.models import Attempt
from testpress.rows import Columns

EXACT_UP_TO = 1000
LAG = timedelta(seconds=8)  # the contract allows 10; the rest is for the reading

# By hand, as the lifecycle's own rows: every end and every finished attempt that is shown asks.
ATTEMPTS = f'"{Attempt._meta.db_table}"'
SCORE = Columns(Attempt, "a", ["exam_id", "score"])

NO_RANK = "NA"


@dataclass(frozen=True, slots=True)
class Standing:
    """`rank` is a number or "NA", `max_rank` how many attempts are ranked, `percentile` a number from 0 to 100."""

    rank: int | str = NO_RANK
    max_rank: int = 0
    percentile: int | float = 0


class Scores:
    """How many ranked attempts of an exam have which score."""

    def __init__(self, counts: Mapping[Decimal, int]):
        self.levels = sorted(counts)
        # How many have one of the first n levels.
        self.lowest = [0, *accumulate(counts[level] for level in self.levels)]

    def below(self, score: Decimal) -> int:
        return self.lowest[bisect_left(self.levels, score)]

    def above(self, score: Decimal) -> int:
        return self.total - self.lowest[bisect_right(self.levels, score)]

    @property
    def total(self) -> int:
        return self.lowest[-1]


def standings(attempts: Sequence[Attempt], *, now: datetime) -> dict[int, Standing]:
    """The standing of each of `attempts` (with their exams) by id, in at most two queries."""
    shown = {a.pk: a for a in attempts if a.is_completed and a.exam.ranks_published(now)}
    found = dict.fromkeys((attempt.pk for attempt in attempts), Standing())
    if not shown:
        return found
    scores = _scores({attempt.exam_id for attempt in shown.values()}, now)
    for pk, level, quicker in _same_score(shown):
        attempt = shown[pk]
        found[pk] = _standing(attempt, scores[attempt.exam_id], level=level, quicker=quicker)
    return found


def attach_standings(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Gives each attempt its `standing`."""
    found = standings(attempts, now=now)
    for attempt in attempts:
        attempt.standing = found[attempt.pk]


def _standing(attempt, scores: Scores, *, level: int, quicker: int) -> Standing:
    """`level` ranked attempts have the attempt's score, `quicker` of them took less time."""
    above, below = scores.above(attempt.score), scores.below(attempt.score)
    total = above + level + below
    if not total:
        return Standing()
    if attempt.exam.enable_ranks and attempt.ranked:
        return Standing(above + quicker + 1, total, percentile(below + level, total))
    return Standing(percentile=percentile(below + level, total))


def percentile(no_better: int, total: int) -> int | float:
    """`no_better` in per cent of `total`, rounded half up to two places; an int where it is whole."""
    share = (Decimal(100 * no_better) / total).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return int(share) if share == share.to_integral_value() else float(share)


# The counts of large exams by the exam's id, with the moment they were read: each process reads its own.
_kept: dict[int, tuple[datetime, Scores]] = {}


def forget() -> None:
    """Counts everything afresh from now on."""
    _kept.clear()


def _scores(exam_ids: Collection[int], now) -> dict[int, Scores]:
    scores = {
        exam_id: kept
        for exam_id, (read, kept) in ((exam_id, _kept[exam_id]) for exam_id in exam_ids if exam_id in _kept)
        if timedelta(0) <= now - read < LAG
    }
    missing = [exam_id for exam_id in exam_ids if exam_id not in scores]
    if not missing:
        return scores
    counts: dict[int, dict[Decimal, int]] = {exam_id: {} for exam_id in missing}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {SCORE.sql}, COUNT(*) FROM {SCORE.table} WHERE a.ranked "  # noqa: S608
            f"AND a.exam_id IN ({_places(missing)}) GROUP BY a.exam_id, a.score",
            missing,
        )
        for *values, count in cursor.fetchall():
            exam_id, score = SCORE.record(values)
            counts[exam_id][score] = count
    for exam_id, counted in counts.items():
        scores[exam_id] = Scores(counted)
        if scores[exam_id].total > EXACT_UP_TO:
            _kept[exam_id] = now, scores[exam_id]
    return scores


def _same_score(pks: Collection[int]):
    """Each attempt's id, how many ranked attempts of its exam have its score, and how many of those were quicker."""
    same = f"SELECT COUNT(*) FROM {ATTEMPTS} o WHERE o.ranked AND o.exam_id = a.exam_id AND o.score = a.score"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT a.id, ({same}), ({same} AND o.seconds_taken < a.seconds_taken) "  # noqa: S608
            f"FROM {SCORE.table} WHERE a.id IN ({_places(pks)})",
            list(pks),
        )
        return cursor.fetchall()


def _places(values):
    return ", ".join(["%s"] * len(values))
