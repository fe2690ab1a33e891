from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from posts.moments import read_moment


@pytest.fixture(autouse=True)
def _in_kolkata():
    with timezone.override(ZoneInfo("Asia/Kolkata")):
        yield


@pytest.mark.parametrize(
    "text",
    [
        "2015-10-07T06:00:07Z",
        "2015-10-07T06:00:07+00:00",
        "2015-10-07T06:00:07-00:00",
        "2015-10-07T11:30:07+05:30",
        "2015-10-07T11:30:07+0530",
        "2015-10-07T11:30:07 05:30",  # a "+" that was not encoded
        "2015-10-07 11:30:07 0530",
        "2015-10-07T01:00:07-05",
        "2015-10-07T11:30:07",
        "2015-10-07 11:30:07",
        "2015-10-07t06:00:07z",
        "2015-10-07T06:00:07.000Z",
        "2015-10-07T06:00:07,000000000Z",
        "20151007T060007Z",
        "20151007T113007",
        "2015-W41-3T06:00:07Z",
        "2015W413T060007Z",
        "2015-280T06:00:07Z",
        "2015280T060007Z",
        " 2015-10-07T06:00:07Z ",
    ],
)
def test_one_moment_in_many_forms(text):
    assert read_moment(text) == datetime(2015, 10, 7, 6, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015-10-07", datetime(2015, 10, 6, 18, 30, tzinfo=UTC)),
        ("20151007", datetime(2015, 10, 6, 18, 30, tzinfo=UTC)),
        ("2015-W41-3", datetime(2015, 10, 6, 18, 30, tzinfo=UTC)),
        ("2015-10-07 05:30", datetime(2015, 10, 7, 0, 0, tzinfo=UTC)),  # a time, not an offset
        ("2015-10-07T06Z", datetime(2015, 10, 7, 6, 0, tzinfo=UTC)),
        ("2015-10-07T06.5Z", datetime(2015, 10, 7, 6, 30, tzinfo=UTC)),
        ("2015-10-07T06:00,5Z", datetime(2015, 10, 7, 6, 0, 30, tzinfo=UTC)),
        ("2015-10-07T06:00:07.086Z", datetime(2015, 10, 7, 6, 0, 7, 86_000, tzinfo=UTC)),
        ("2015-10-07T06:00:07.1234569Z", datetime(2015, 10, 7, 6, 0, 7, 123_456, tzinfo=UTC)),
        ("2015-10-07T24:00:00Z", datetime(2015, 10, 8, tzinfo=UTC)),
        ("2015-06-30T23:59:60Z", datetime(2015, 7, 1, tzinfo=UTC)),
        ("2016-366T00Z", datetime(2016, 12, 31, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_moments(text, expected):
    assert read_moment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2015",
        "2015-10",
        "2015-13-01",
        "2015-02-29",
        "2015-366",
        "2015-000",
        "0000-001",
        "2015-W54-1",
        "2015-10-07T",
        "2015-10-07x06:00",
        "2015-10-07T6:00",
        "2015-10-07T24:00:01",
        "2015-10-07T25:00",
        "2015-10-07T06:60",
        "2015-10-07T06:00:61",
        "2015-10-07T06:00:07+24:00",
        "2015-10-07T06:00:07+05:60",
        "2015-10-07T06:00:07 IST",
        "٢٠١٥-10-07",
        "2015-10-07\0",
        "0001-01-01",  # midnight in Kolkata, which is in the year 0 in UTC
        "0001-01-01T00:00:00+05:30",
        "9999-12-31T24:00:00Z",
        "9999-12-31T23:59:59-05:30",
        "9999-366",
        "9" * 100_000,
    ],
)
def test_no_moments(text):
    with pytest.raises(ValueError):  # noqa: PT011  (the words are the caller's)
        read_moment(text)
