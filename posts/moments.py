"""Reading dates and timestamps as clients write them: ISO 8601 in all its forms, and one common slip."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from django.utils.timezone import get_current_timezone

# A blank before the offset is a "+" that the client forgot to encode in its URL.
MOMENT = re.compile(
    r"""(?P<date>[0-9W-]+)
    (?:[T ](?P<hours>[0-9]{2})
        (?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?
        (?:[.,](?P<fraction>[0-9]+))?
        (?:(?P<utc>Z)|(?P<sign>[-+\ ])(?P<offset_hours>[0-9]{2})(?::?(?P<offset_minutes>[0-9]{2}))?)?
    )?""",
    re.VERBOSE,
)
ORDINAL_DATE = re.compile(r"(?P<year>[0-9]{4})-?(?P<day>[0-9]{3})")


def read_moment(text: str) -> datetime:
    """A date or timestamp in any form of ISO 8601, in UTC; without an offset it means the institute's time zone.

    A date is its midnight.

    :raises ValueError: it is none, or lies outside the years 1 to 9999.
    """
    found = MOMENT.fullmatch(text.strip().upper())
    if found is None:
        raise ValueError(text)
    try:
        wall_clock = datetime.combine(_date(found["date"]), datetime.min.time()) + _time_of_day(found)
        return wall_clock.replace(tzinfo=_zone(found)).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def _date(text):
    if ordinal := ORDINAL_DATE.fullmatch(text):
        day = date(int(ordinal["year"]), 1, 1) + timedelta(days=int(ordinal["day"]) - 1)
        if day.year != int(ordinal["year"]):
            raise ValueError(text)
        return day
    return date.fromisoformat(text)


def _time_of_day(found):
    """What the clock shows, as the time since midnight; 24:00 is the day's end, and :60 a leap second."""
    hours, minutes, seconds = (int(found[name] or 0) for name in ("hours", "minutes", "seconds"))
    if minutes > 59 or seconds > 60:
        raise ValueError(found.string)
    # A fraction is one of the smallest unit that is given; more digits than these are below a microsecond.
    unit = (
        timedelta(seconds=1) if found["seconds"] else timedelta(minutes=1) if found["minutes"] else timedelta(hours=1)
    )
    digits = (found["fraction"] or "0")[:12]
    time = timedelta(hours=hours, minutes=minutes, seconds=seconds) + unit * int(digits) // 10 ** len(digits)
    if time > timedelta(hours=24):
        raise ValueError(found.string)
    return time


def _zone(found):
    if found["utc"]:
        return UTC
    if not found["sign"]:
        return get_current_timezone()
    hours, minutes = int(found["offset_hours"]), int(found["offset_minutes"] or 0)
    if minutes > 59:
        raise ValueError(found.string)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if found["sign"] == "-" else offset)  # refuses a whole day and more
