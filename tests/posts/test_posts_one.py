from datetime import timedelta

import pytest

from tests.conftest import NOW, Api
from tests.posts.conftest import listed, make_post


def test_one_shows_its_content_too(post, asha):
    assert Api(asha).get("posts/working-great/") == listed(post) | {"content_html": "<p>Working Great</p>"}


def test_one_keeps_the_documented_order_of_keys(post, asha):
    keys = list(listed(post))
    keys.insert(keys.index("institute"), "content_html")

    assert list(Api(asha).get("posts/working-great/")) == keys


def test_one_answers_without_the_final_slash(post, asha):
    assert Api(asha).get("posts/working-great")["id"] == post.pk


def test_one_shows_when_it_was_changed(post, asha, at):
    at(NOW + timedelta(hours=1, microseconds=5))
    post.summary = "Better still"
    post.save()

    shown = Api(asha).get("posts/working-great/")

    assert (shown["created"], shown["modified"]) == ("2026-03-02T06:30:00Z", "2026-03-02T07:30:00Z")


def test_one_has_clean_html(admin, asha):
    make_post("Sly", author=admin, content_html='<b onclick="x()">Hi</b><script>alert(1)</script>')

    assert Api(asha).get("posts/sly/")["content_html"] == "<b>Hi</b>"


def test_one_of_another_batch_is_forbidden(admin, asha, chitra, dev, teacher):
    make_post("For EEE", author=admin, batches=["EEE"])

    assert Api(asha).get("posts/for-eee/")["title"] == "For EEE"
    for outsider in (chitra, dev, teacher, admin):
        assert Api(outsider).get("posts/for-eee/", status=403) == {
            "detail": "This is not available to you.",
            "code": "not_available",
        }


def test_one_that_is_public_is_for_everybody(admin, dev):
    make_post("Public", author=admin, batches=["EEE"], public=True)

    assert Api(dev).get("posts/public/")["title"] == "Public"


@pytest.mark.parametrize("batches", [[], ["EEE"], ["ECE"]])
def test_one_that_is_inactive_does_not_exist(admin, asha, batches):
    make_post("Withdrawn", author=admin, batches=batches, active=False)

    assert Api(asha).get("posts/withdrawn/", status=404) == {"detail": "Not found."}


@pytest.mark.parametrize("slug", ["nothing", "Working-Great", "working-great%0A", "w%C3%B6rking", "a%00b"])
def test_one_that_does_not_exist(post, asha, slug):
    assert list(Api(asha).get(f"posts/{slug}/", status=404)) == ["detail"]


def test_one_needs_a_token(post):
    assert Api().get("posts/working-great/", status=401) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_one_is_not_written_to(post, asha, method):
    shown = getattr(Api(asha), method)("posts/working-great/", status=405)

    assert shown == {"detail": f'Method "{method.upper()}" not allowed.'}


def test_one_costs_two_statements(post, asha, statements):
    api = Api(asha)
    api.get("posts/working-great/")  # warms the institute's time zone

    with statements(2):  # the token's user, the post with author, category and whether it is open
        api.get("posts/working-great/")
