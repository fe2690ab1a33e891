from datetime import timedelta

import pytest

from posts.models import Category, Post
from tests.conftest import NOW, Api
from tests.posts.conftest import make_post


@pytest.fixture
def three(admin, at):
    """One post a day, whose titles, changes and categories run other ways."""
    at(NOW)
    posts = [
        make_post("beta", author=admin, created=NOW - timedelta(days=1), category="Daily News"),
        make_post("Alpha", author=admin, created=NOW, category="Results"),
        make_post("gamma", author=admin, created=NOW + timedelta(days=1), category="Daily News"),
    ]
    for minutes, post in zip((3, 1, 2), posts, strict=True):
        Post.objects.filter(pk=post.pk).update(modified=NOW + timedelta(minutes=minutes))
    return posts


def titles(user, **parameters):
    return [post["title"] for post in Api(user).get("posts/", parameters)["results"]]


def test_gt_and_lt_exclude_the_moment_itself(three, asha):
    noon = "2026-03-02T06:30:00Z"

    assert titles(asha, gt=noon) == ["gamma"]
    assert titles(asha, lt=noon) == ["beta"]
    assert titles(asha, gt="2026-03-02T06:29:59Z", lt="2026-03-02T06:30:01Z") == ["Alpha"]


def test_gt_does_not_repeat_the_post_that_was_shown(admin, asha):
    """A post keeps no fraction of a second that its client never sees."""
    make_post("Precise", author=admin, created=NOW.replace(microsecond=999_999))
    [shown] = Api(asha).get("posts/")["results"]

    assert titles(asha, gt=shown["created"]) == []


def test_a_date_is_midnight_at_the_institute(admin, asha):
    """Midnight of 2 March in Kolkata is 18:30 of 1 March in UTC."""
    make_post("At midnight", author=admin, created=NOW - timedelta(hours=12))
    make_post("A second later", author=admin, created=NOW - timedelta(hours=12) + timedelta(seconds=1))

    assert titles(asha, gt="2026-03-02") == ["A second later"]
    assert titles(asha, lt="2026-03-02") == []
    assert titles(asha, lt="2026-03-03") == ["A second later", "At midnight"]


def test_an_offset_whose_plus_came_as_a_blank(three, asha):
    assert [post["title"] for post in Api(asha).get("posts/?gt=2026-03-02T12:00:00+05:30")["results"]] == ["gamma"]


@pytest.mark.parametrize("name", ["gt", "lt"])
@pytest.mark.parametrize("value", ["yesterday", "2026-02-30", "0001-01-01T00:00:00+05:30", "1767225600", "2026\0"])
def test_gt_and_lt_of_no_moment(asha, name, value):
    assert Api(asha).get("posts/", {name: value}, status=400) == {
        name: ["Enter a date or a timestamp as in ISO 8601, such as 2015-10-07T06:00:07Z."]
    }


@pytest.mark.parametrize("value", ["9999-12-31T23:59:59-05:30", "0001-01-01"])
def test_gt_beyond_the_years_there_are(asha, value):
    assert list(Api(asha).get("posts/", {"gt": value}, status=400)) == ["gt"]


def test_gt_and_lt_at_the_ends_of_time(three, asha):
    assert len(titles(asha, gt="0001-01-01T00:00:00Z", lt="9999-12-31T23:59:59Z")) == 3


def test_empty_parameters_filter_nothing(three, asha):
    assert len(titles(asha, gt="", lt="", order="", category="")) == 3


def test_all_bad_parameters_are_named(asha):
    assert set(Api(asha).get("posts/?gt=x&lt=y&order=z&category=a%00b", status=400)) == {
        "gt",
        "lt",
        "order",
        "category",
    }


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("created", ["beta", "Alpha", "gamma"]),
        ("-created", ["gamma", "Alpha", "beta"]),
        ("modified", ["Alpha", "gamma", "beta"]),
        ("-modified", ["beta", "gamma", "Alpha"]),
        ("title", ["Alpha", "beta", "gamma"]),
        ("-title", ["gamma", "beta", "Alpha"]),
        ("id", ["beta", "Alpha", "gamma"]),
        ("-id", ["gamma", "Alpha", "beta"]),
    ],
)
def test_order(three, asha, order, expected):
    assert titles(asha, order=order) == expected


def test_order_breaks_ties_by_the_id(admin, asha):
    ids = [make_post("Same", author=admin).pk for _ in range(3)]

    assert [post["id"] for post in Api(asha).get("posts/?order=title")["results"]] == ids
    assert [post["id"] for post in Api(asha).get("posts/?order=-created")["results"]] == ids[::-1]


@pytest.mark.parametrize("value", ["summary", "--id", "title,id", "created_by__password", "ID"])
def test_order_by_anything_else(asha, value):
    assert Api(asha).get("posts/", {"order": value}, status=400) == {
        "order": [f"Select a valid choice. {value} is not one of the available choices."]
    }


@pytest.mark.parametrize("value", ["Daily News", "daily news", "daily-news"])
def test_category_by_name_and_slug(three, asha, value):
    assert titles(asha, category=value) == ["gamma", "beta"]


@pytest.mark.parametrize("value", ["Daily", "%", "daily_news", "x" * 100_000])
def test_category_that_nobody_has(three, asha, value):
    assert Api(asha).get("posts/", {"category": value})["results"] == []


def test_category_whose_name_is_the_slug_of_another(admin, asha):
    Category.objects.create(name="Results", slug="news")
    make_post("By slug", author=admin, category="Results")
    make_post("By name", author=admin, category="News")

    assert titles(asha, category="news") == ["By name", "By slug"]


def test_category_with_a_nul(asha):
    assert Api(asha).get("posts/", {"category": "a\0b"}, status=400) == {
        "category": ["Null characters are not allowed."]
    }


def test_the_last_of_a_repeated_parameter_counts(three, asha):
    api = Api(asha)

    assert [post["title"] for post in api.get("posts/?category=none&category=results")["results"]] == ["Alpha"]
    assert [post["title"] for post in api.get("posts/?order=bad&order=id")["results"]] == ["beta", "Alpha", "gamma"]
    assert api.get("posts/?gt=bad&gt=2030-01-01")["count"] == 0
