from datetime import timedelta

import pytest

from tests.conftest import NOW, Api
from tests.posts.conftest import listed, make_post


def test_list_shows_everything_but_the_content(post, asha):
    assert Api(asha).get("posts/") == {
        "count": 1,
        "next": None,
        "previous": None,
        "per_page": 20,
        "results": [listed(post)],
    }


def test_list_keeps_the_documented_order_of_keys(post, asha):
    [shown] = Api(asha).get("posts/")["results"]

    assert list(shown) == list(listed(post))


def test_list_answers_without_the_final_slash(post, asha):
    assert Api(asha).get("posts")["count"] == 1


def test_list_has_the_newest_first(admin, asha):
    """The latest `created` comes first, and of equal ones the latest row."""
    old = make_post("Old", author=admin, created=NOW - timedelta(days=1))
    new = make_post("New", author=admin)
    newer = make_post("Newer", author=admin)

    assert titles(asha) == [newer.title, new.title, old.title]


def test_list_leaves_out_what_a_student_may_not_read(admin, asha, dev):
    make_post("For all", author=admin)
    make_post("For EEE", author=admin, batches=["EEE"])
    make_post("For ECE", author=admin, batches=["ECE"])
    make_post("For two", author=admin, batches=["ECE", "EEE"])
    make_post("Public", author=admin, batches=["ECE"], public=True)
    make_post("Withdrawn", author=admin, active=False)

    assert titles(asha) == ["Public", "For two", "For EEE", "For all"]
    assert titles(dev) == ["Public", "For all"]


def test_list_treats_staff_like_everybody(admin, teacher):
    """Staff write posts in the admin site; here they are readers."""
    make_post("For all", author=admin)
    make_post("For EEE", author=admin, batches=["EEE"])

    assert titles(teacher) == titles(admin) == ["For all"]


def test_list_needs_a_token(post):
    api = Api()

    assert api.get("posts/", status=401) == {"detail": "Authentication credentials were not provided."}
    assert api.response["WWW-Authenticate"].startswith("JWT")


def test_list_is_not_written_to(post, asha):
    assert Api(asha).post("posts/", {"title": "Mine"}, status=405) == {"detail": 'Method "POST" not allowed.'}


def test_list_has_twenty_a_page(admin, asha):
    for number in range(21):
        make_post(f"Post {number:02}", author=admin, batches=["EEE"])

    first = Api(asha).get("posts/?order=id&category=Daily News")
    last = Api(asha).get(first["next"])

    assert (first["count"], first["previous"], len(first["results"])) == (21, None, 20)
    assert first["next"] == "http://localhost/api/v2.1/posts/?category=Daily+News&order=id&page=2"
    assert (last["next"], [post["title"] for post in last["results"]]) == (None, ["Post 20"])


def test_list_has_no_such_page(post, asha):
    for page in ("2", "0", "last", "x", "\0"):
        assert Api(asha).get("posts/", {"page": page}, status=404) == {"detail": "Invalid page."}


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_for_any_number_of_posts(admin, asha, statements, rows):
    for number in range(rows):
        make_post(f"Post {number}", author=admin, category=f"Category {number}", batches=["EEE"])
    api = Api(asha)
    api.get("posts/")  # warms the institute's time zone

    with statements(2):  # the token's user, the posts with authors and categories, counted
        assert api.get("posts/")["count"] == rows


def titles(user, **parameters):
    return [post["title"] for post in Api(user).get("posts/", parameters)["results"]]
