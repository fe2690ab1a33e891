"""Ranks and percentiles, counted by the database over an exam's ranked attempts.

Ranked: each student's first completed attempt, staff left out (`Attempt.ranked`). Higher score first, then less time
in whole seconds; still equal, the same rank (1, 2, 2, 4).

An exam's scores are read as counts (how many attempts have which score), never as other students' rows, and the
attempts of the same score are counted afresh each time. Beyond `EXACT_UP_TO` attempts the counts are kept for
`LAG_SECONDS`: a student's own result is in at once, other students' finishing may show that much later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.core.cache import cache
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from attempts.models import Attempt

EXACT_UP_TO = 1000
LAG_SECONDS = 8  # the contract allows 10; the rest is for the reading

NO_RANK = "NA"


@dataclass(frozen=True, slots=True)
class Standing:
    """`rank` is a number or "NA", `max_rank` how many attempts are ranked, `percentile` a number from 0 to 100."""

    rank: int | str = NO_RANK
    max_rank: int = 0
    percentile: int | float = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """How many ranked attempts of an exam have which score."""

    counts: dict[Decimal, int]

    def above(self, score: Decimal) -> int:
        return sum(count for other, count in self.counts.items() if other > score)

    def below(self, score: Decimal) -> int:
        return sum(count for other, count in self.counts.items() if other < score)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def standings(attempts: Sequence[Attempt], *, now: datetime) -> dict[int, Standing]:
    """The standing of each of `attempts` (with their exams) by id, in at most two queries."""
    shown = {a.pk: a for a in attempts if a.is_completed and a.exam.ranks_published(now)}
    found = dict.fromkeys((attempt.pk for attempt in attempts), Standing())
    if not shown:
        return found
    scores = _scores({attempt.exam_id for attempt in shown.values()})
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


def _scores(exam_ids: Iterable[int]) -> dict[int, Scores]:
    keys = {f"scores:{exam_id}": exam_id for exam_id in exam_ids}
    scores = {keys[key]: kept for key, kept in cache.get_many(keys).items()}
    missing = [exam_id for exam_id in keys.values() if exam_id not in scores]
    if not missing:
        return scores
    scores |= {exam_id: Scores({}) for exam_id in missing}
    counted = Attempt.objects.ranked().filter(exam__in=missing).order_by().values_list("exam", "score")
    for exam_id, score, count in counted.annotate(n=Count("*")):
        scores[exam_id].counts[score] = count
    for exam_id in missing:
        if scores[exam_id].total > EXACT_UP_TO:
            cache.set(f"scores:{exam_id}", scores[exam_id], LAG_SECONDS)
    return scores


def _same_score(pks: Iterable[int]):
    """Each attempt's id, how many ranked attempts of its exam have its score, and how many of those were quicker."""
    level = Attempt.objects.ranked().filter(exam=OuterRef("exam"), score=OuterRef("score")).order_by()
    return (
        Attempt.objects.filter(pk__in=list(pks))
        .order_by()
        .values_list("pk", _counted(level), _counted(level.filter(seconds_taken__lt=OuterRef("seconds_taken"))))
    )


def _counted(rows) -> Coalesce:
    # Of rows, not of ids: those the index alone can tell.
    return Coalesce(Subquery(rows.values("exam").annotate(n=Count("*")).values("n")), 0)
