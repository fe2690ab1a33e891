"""Every call of the API, and a stage on which each can be made.

The endpoints are read from the URL conf. Who adds one has to add a call to `CALLS`: a test compares the two, so no
endpoint escapes the tests that walk them all.
"""

from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.admindocs.views import simplify_regex
from django.db import transaction
from django.urls import URLResolver, get_resolver

from accounts.models import User
from attempts import lifecycle
from attempts.models import Attempt, AttemptItem
from catalog.models import Category as ProductCategory
from catalog.models import Note, Product
from exams.models import Attachment, Exam
from posts.models import Category as PostCategory
from posts.models import Post
from tests.conftest import NOW, PASSWORD, Api, make_exam, make_question, make_user

# What the stage hides: no answer before the review may hold any of these.
EXPLANATION = "EXPLAINED-7f3a91"
MARK, NEGATIVE_MARK = "7.77", "3.33"


@dataclass
class Stage:
    """Asha (batch EEE) has one running and one completed attempt at exams of her batch; nobody else has any.

    `hidden` is another exam whose review shows no answers, completed by her.
    """

    asha: User
    balu: User
    chitra: User
    teacher: User
    admin: User
    exam: Exam
    completed_exam: Exam
    hidden_exam: Exam
    upcoming_exam: Exam
    untouched_exam: Exam
    draft: Exam
    running: Attempt
    completed: Attempt
    hidden: Attempt
    item: AttemptItem
    essay: AttemptItem
    product: Product
    post: Post

    def path(self, template):
        """`attempts/{running.pk}/` filled in."""
        return template.format(**{field.name: getattr(self, field.name) for field in fields(self)})

    def call(self, api, endpoint, *, written="{}/", **extra):
        """Makes the call and gives the response, whatever its status; the path is `written` with or without a slash."""
        call, method = CALLS[endpoint], endpoint.split()[0].lower()
        body = call.body(self) if callable(call.body) else call.body
        return send(api, method, written.format(self.path(call.path).rstrip("/")), body, **extra)


def send(api, method, path, body=None, **extra):
    """The response of `path` below /api/v2.1/, whatever its status."""
    return getattr(super(Api, api), method)(f"/api/v2.1/{path}", body, **extra)


@dataclass(frozen=True)
class Call:
    """`path` below /api/v2.1/; `of`: whose it is, `asha` or `batch`, None where it is nobody's in particular."""

    path: str
    body: Any = None
    of: str | None = None
    writes: bool = False


def an_answer(stage):
    """What a save of the running attempt's first question sends."""
    chosen = stage.exam.exam_questions.first().question.answers.first()
    return {"selected_answers": [chosen.pk], "review": True}


# The student API, whole. `<>` stands for a part of the path.
CALLS = {
    "POST auth-token": Call("auth-token/", {"username": "asha", "password": PASSWORD}),
    "GET me": Call("me/"),
    "GET users/<>": Call("users/{asha.pk}/"),
    "PUT users/<>": Call("users/{asha.pk}/", {"city": "Chennai"}, of="asha", writes=True),
    "PATCH users/<>": Call("users/{asha.pk}/", {"city": "Chennai"}, of="asha", writes=True),
    "GET exams": Call("exams/"),
    "GET exams/available": Call("exams/available/"),
    "GET exams/upcoming": Call("exams/upcoming/"),
    "GET exams/history": Call("exams/history/"),
    "GET exams/<>": Call("exams/{exam.slug}/", of="batch"),
    "GET exams/<>/attempts": Call("exams/{exam.slug}/attempts/", of="batch"),
    "POST exams/<>/attempts": Call("exams/{exam.slug}/attempts/", of="batch", writes=True),
    "GET exams/<>/attachments": Call("exams/{exam.slug}/attachments/", of="batch"),
    "GET attempts": Call("attempts/"),
    "GET attempts/<>": Call("attempts/{running.pk}/", of="asha"),
    "PUT attempts/<>/start": Call("attempts/{running.pk}/start/", of="asha", writes=True),
    "PUT attempts/<>/heartbeat": Call("attempts/{running.pk}/heartbeat/", of="asha", writes=True),
    "PUT attempts/<>/end": Call("attempts/{running.pk}/end/", of="asha", writes=True),
    "GET attempts/<>/questions": Call("attempts/{running.pk}/questions/", of="asha"),
    "GET attempts/<>/questions/<>": Call("attempts/{running.pk}/questions/{item.pk}/", of="asha"),
    "PUT attempts/<>/questions/<>": Call(
        "attempts/{running.pk}/questions/{item.pk}/", an_answer, of="asha", writes=True
    ),
    "GET attempts/<>/review": Call("attempts/{completed.pk}/review/", of="asha"),
    "GET products": Call("products/"),
    "GET products/<>": Call("products/{product.slug}/"),
    "GET posts": Call("posts/"),
    "GET posts/<>": Call("posts/{post.slug}/", of="batch"),
}


def endpoints(root="api/v2.1"):
    """`METHOD path` of every view below `root`, the parts of a path as `<>`."""
    [api] = (
        found
        for found in get_resolver().url_patterns
        if isinstance(found, URLResolver) and str(found.pattern).lstrip("^").startswith(root)
    )
    return sorted(_endpoints(api, ""))


def _endpoints(resolver, prefix):
    for found in resolver.url_patterns:
        whole = prefix + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from _endpoints(found, whole)
            continue
        path = "/".join("<>" if part.startswith("<") else part for part in simplify_regex(whole).strip("/?").split("/"))
        actions = getattr(found.callback, "actions", None)
        view = found.callback.cls
        methods = actions or [name for name in view.http_method_names if hasattr(view, name)]
        yield from (f"{name.upper()} {path}" for name in methods if name not in ("head", "options"))


@contextmanager
def standing(django_db_blocker):
    """The stage at NOW, for all tests of a module: each one's transaction lies within the one that holds the stage.

    A test takes a copy, since it may change what it holds.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(NOW, tick=False):
            stage = make_stage()
        yield stage
        transaction.set_rollback(True)


def make_stage():
    """The stage at NOW; it needs the clock at NOW."""
    asha = make_user("asha", batches=["EEE"], first_name="Asha", last_name="Rao")
    balu = make_user("balu", batches=["EEE"])
    chitra = make_user("chitra", batches=["ECE"])
    teacher = make_user("teacher", is_staff=True)
    admin = make_user("admin", is_staff=True, is_superuser=True)

    questions = [
        make_question("R", key=(1,), text="one", explanation_html=f"<p>{EXPLANATION} one</p>"),
        make_question(
            "C", key=(0, 2), text="two", explanation_html=f"<p>{EXPLANATION} two</p>", direction="<p>Read.</p>"
        ),
        make_question("E", text="three", explanation_html=f"<p>{EXPLANATION} three</p>", topics=["This", "That"]),
    ]
    marked = [(question, (MARK, NEGATIVE_MARK)) for question in questions]
    exam, completed_exam, hidden_exam, untouched_exam = (
        make_exam(title, questions=marked, batches=["EEE"], variable_mark_per_question=True, **extra)
        for title, extra in (
            ("Under way", {}),
            ("Done", {"allow_retake": False, "enable_ranks": True}),
            ("Done and hidden", {"show_answers": False, "max_retakes": 2}),
            ("Untouched", {"end_date": NOW + timedelta(days=1)}),
        )
    )
    upcoming_exam = make_exam("To come", batches=["EEE"], start_date=NOW + timedelta(days=1))
    draft = make_exam("Draft", batches=["EEE"], published=False)

    Attachment.objects.create(exam=exam, file="a/none", file_name="map.pdf", content_type="application/pdf", size=9)

    begun = NOW - timedelta(minutes=10)
    running = lifecycle.start(exam, asha, now=begun)[0]
    completed, hidden = (lifecycle.start(exam, asha, now=begun)[0] for exam in (completed_exam, hidden_exam))
    for attempt in (completed, hidden):
        lifecycle.end(attempt.pk, asha, now=NOW - timedelta(minutes=5))
        attempt.refresh_from_db()

    product = Product.objects.create(title="Power Pack", price="1.00", types=["Exams"], start_date=begun)
    product.categories.add(ProductCategory.objects.create(name="TNPSC"))
    product.exams.add(exam)
    Note.objects.create(product=product, title="A note")
    post = Post.objects.create(
        title="Working Great",
        summary="All is well",
        content_html="<p>Good</p>",
        category=PostCategory.objects.create(name="Daily News"),
        created_by=teacher,
        created=NOW,
    )
    post.batches.set(asha.batches.all())

    item, _, essay = running.items.order_by("order")
    return Stage(
        asha,
        balu,
        chitra,
        teacher,
        admin,
        exam,
        completed_exam,
        hidden_exam,
        upcoming_exam,
        untouched_exam,
        draft,
        running,
        completed,
        hidden,
        item,
        essay,
        product,
        post,
    )
