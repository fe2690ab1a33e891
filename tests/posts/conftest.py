"""Posts of the tests: `make_post` and the shapes that the API gives them."""

import pytest

from accounts.models import Batch
from posts.models import Category, Post
from tests.conftest import NOW


def make_post(title, *, author, batches=(), category="Daily News", **fields):
    """An active post for the whole institute, created at NOW unless told."""
    category, _ = Category.objects.get_or_create(name=category)
    fields = {"created": NOW, "summary": f"About {title}", "content_html": f"<p>{title}</p>"} | fields
    post = Post.objects.create(title=title, category=category, created_by=author, **fields)
    post.batches.set([Batch.objects.get_or_create(name=name)[0] for name in batches])
    return post


def listed(post):
    """What the list shows of a post that was created and changed at NOW by an author without name and photo."""
    author = post.created_by
    return {
        "url": f"http://localhost/api/v2.1/posts/{post.slug}/",
        "created_by": {
            "id": author.pk,
            "url": f"http://localhost/api/v2.1/users/{author.pk}/",
            "username": author.username,
            "display_name": author.username,
            "first_name": "",
            "last_name": "",
            "photo": "",
            "large_image": "",
            "medium_image": "",
            "small_image": "",
            "x_small_image": "",
            "mini_image": "",
        },
        "category": {
            "id": post.category_id,
            "name": post.category.name,
            "color": "33CC33",
            "slug": post.category.slug,
        },
        "created": "2026-03-02T06:30:00Z",
        "modified": "2026-03-02T06:30:00Z",
        "id": post.pk,
        "active": True,
        "title": post.title,
        "summary": post.summary,
        "institute": 1,
    }


@pytest.fixture
def post(admin, at):
    at(NOW)
    return make_post("Working Great", author=admin)
