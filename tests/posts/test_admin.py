import pytest
from django.urls import reverse

from posts.models import Category, Post
from tests.conftest import NOW
from tests.posts.conftest import make_post


@pytest.fixture
def site(client, admin):
    client.force_login(admin)
    return client


def form(**fields):
    return {
        "title": "Results",
        "slug": "results",
        "summary": "",
        "content_html": "<p>Out.</p>",
        "active": "on",
    } | fields


@pytest.mark.parametrize("page", ["changelist", "add"])
@pytest.mark.parametrize("model", ["post", "category"])
def test_pages_open(site, post, model, page):
    assert site.get(reverse(f"admin:posts_{model}_{page}")).status_code == 200


def test_search_and_filters(site, post):
    found = site.get(reverse("admin:posts_post_changelist"), {"q": "working", "active__exact": 1})

    assert [row.pk for row in found.context["cl"].result_list] == [post.pk]


def test_the_list_counts_a_categorys_posts(site, admin):
    make_post("One", author=admin)
    make_post("Two", author=admin)

    found = site.get(reverse("admin:posts_category_changelist"))

    assert [row.post_count for row in found.context["cl"].result_list] == [2]


def test_adding_a_post_makes_it_ones_own(site, admin, teacher, at):
    """Whose post it is follows the log-in, whatever the form says."""
    at(NOW)
    category = Category.objects.create(name="Results")

    answer = site.post(reverse("admin:posts_post_add"), form(category=category.pk, created_by=teacher.pk))

    assert answer.status_code == 302
    post = Post.objects.get()
    assert (post.created_by, post.created, post.modified, post.slug) == (admin, NOW, NOW, "results")


def test_changing_a_post_leaves_its_author(site, teacher):
    post = make_post("Hers", author=teacher)

    answer = site.post(reverse("admin:posts_post_change", args=[post.pk]), form(category=post.category_id))

    post.refresh_from_db()
    assert (answer.status_code, post.title, post.created_by) == (302, "Results", teacher)


def test_a_slug_left_empty_is_derived_from_the_title(site):
    category = Category.objects.create(name="Results")

    site.post(reverse("admin:posts_post_add"), form(slug="", title="Results are out", category=category.pk))

    assert Post.objects.get().slug == "results-are-out"


def test_a_slug_that_is_taken_is_an_error_of_the_form(site, post):
    answer = site.post(reverse("admin:posts_post_add"), form(slug=post.slug, category=post.category_id))

    assert answer.context["errors"].data == [["Post with this Slug already exists."]]


def test_a_category_that_differs_in_case_is_an_error_of_the_form(site):
    Category.objects.create(name="Results")

    answer = site.post(reverse("admin:posts_category_add"), {"name": "RESULTS", "slug": "other", "color": "red"})

    assert answer.status_code == 200
    assert Category.objects.count() == 1
