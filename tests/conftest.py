"""The fixed cast and stage of the tests.

People: `asha` and `balu` are students of batch EEE, `chitra` of batch ECE, `dev` of none; `teacher` is staff without
any permission, `admin` a superuser. Everybody's password is `PASSWORD`.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
from xdist.scheduler import LoadScopeScheduling

from accounts.middleware import institute_time_zone
from accounts.models import Batch, User
from accounts.tokens import StudentToken
from attempts import ranking
from exams import papers
from exams.models import Answer, Course, EssayTopic, Exam, ExamQuestion, Question, Subject
from tests.project.server import running

PASSWORD = "open sesame 42"
NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)  # noon in Kolkata


# Files whose tests share a server, which takes seconds to start: by it.
SHARE_A_SERVER = {
    "tests/exams/test_attachments_s3.py": "S3",
    "tests/exams/test_attachments_server.py": "demo_server",
    "tests/project/test_readme.py": "demo_server",
    "tests/project/test_serve.py": "demo_server",
}


class ByServer(LoadScopeScheduling):
    """Hands each process a test when it has done one, but first, and to one process, those that share a server.

    By file, since marks are of no use: what xdist 3.8 does for its own groups is lost on pytest 9.2.
    """

    def _split_scope(self, nodeid):
        return SHARE_A_SERVER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_make_scheduler(config, log):
    return ByServer(config, log)


class Api(APIClient):
    """A client of the API that checks the status and returns the decoded answer; `path` is below /api/v2.1/.

    The last response is in `response`.
    """

    def __init__(self, user=None):
        super().__init__(HTTP_HOST="localhost")
        if user is not None:
            self.credentials(HTTP_AUTHORIZATION=f"JWT {StudentToken.for_user(user)}")

    def call(self, method, path, data=None, *, status=200, **extra):
        url = path if path.startswith(("/", "http")) else f"/api/v2.1/{path}"
        self.response = getattr(super(), method)(url, data, **extra)
        assert self.response.status_code == status, (self.response.status_code, self.response.content[:2000])
        return self.response.json() if self.response.content else None

    def get(self, path, data=None, **kwargs):
        return self.call("get", path, data, **kwargs)

    def post(self, path, data=None, **kwargs):
        return self.call("post", path, data, **kwargs)

    def put(self, path, data=None, **kwargs):
        return self.call("put", path, data, **kwargs)

    def patch(self, path, data=None, **kwargs):
        return self.call("patch", path, data, **kwargs)

    def delete(self, path, data=None, **kwargs):
        return self.call("delete", path, data, **kwargs)


@pytest.fixture(autouse=True)
def _fresh_cache():
    for name in settings.CACHES:
        caches[name].clear()
    papers.remembered.cache_clear()
    ranking.forget()


@pytest.fixture(scope="session")
def demo_server():
    """A server that really runs, with the demo institute: one for all tests that leave it running, and without files.

    A start takes seconds: a file that uses it is named in `SHARE_A_SERVER`.
    """
    with running() as server:
        server.first_words = server.log.read_text()
        yield server


@pytest.fixture
def at(time_machine):
    """Sets the clock of the whole process: `at(NOW)`, `at(NOW + timedelta(minutes=5))`; it stands still there."""

    def move_to(moment):
        time_machine.move_to(moment, tick=False)

    return move_to


@pytest.fixture
def statements():
    """Counts a block's SQL statements, without BEGIN, COMMIT and savepoints: `with statements(3): …`."""

    class Statements(CaptureQueriesContext):
        def __init__(self, expected):
            super().__init__(connection)
            self.expected = expected

        def __enter__(self):
            institute_time_zone()  # kept by the cache for a minute, so no part of a request's cost
            return super().__enter__()

        def __exit__(self, exc_type, exc_value, traceback):
            super().__exit__(exc_type, exc_value, traceback)
            if exc_type is None:
                texts = [query["sql"] for query in self.captured_queries]
                real = [t for t in texts if not t.upper().startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
                assert len(real) == self.expected, f"{len(real)} statements, not {self.expected}:\n" + "\n".join(real)

    return Statements


def make_user(username, *, batches=(), **fields):
    user = User(username=username, email=f"{username}@example.com", **fields)
    user.set_password(PASSWORD)
    user.save()
    user.batches.set([Batch.objects.get_or_create(name=name)[0] for name in batches])
    return user


@pytest.fixture
def asha(db):
    return make_user("asha", batches=["EEE"], first_name="Asha", last_name="Rao")


@pytest.fixture
def balu(db):
    return make_user("balu", batches=["EEE"], first_name="Balu")


@pytest.fixture
def chitra(db):
    return make_user("chitra", batches=["ECE"])


@pytest.fixture
def dev(db):
    return make_user("dev")


@pytest.fixture
def teacher(db):
    return make_user("teacher", is_staff=True)


@pytest.fixture
def admin(db):
    return make_user("admin", is_staff=True, is_superuser=True)


def make_question(type="R", *, key=(0,), answers=4, subject="Polity", text="Which?", topics=(), **fields):
    """A question with `answers` answers, those at the places in `key` correct; an essay has none."""
    question = Question.objects.create(
        question_html=f"<p>{text}</p>",
        type=type,
        subject=Subject.objects.get_or_create(name=subject)[0],
        explanation_html=fields.pop("explanation_html", "<p>Because.</p>"),
        **fields,
    )
    if type != "E":
        Answer.objects.bulk_create(
            Answer(question=question, order=n, text_html=f"<p>answer {n}</p>", is_correct=n in key)
            for n in range(answers)
        )
    EssayTopic.objects.bulk_create(EssayTopic(question=question, order=n, title=t) for n, t in enumerate(topics))
    return question


def make_exam(title="General Studies", *, questions=("R", "R", "C"), batches=(), course="TNPSC", **fields):
    """A published exam that began an hour before NOW, allows 30 minutes, +1.00 and -0.25 a question.

    `questions` holds types, ready questions, or pairs of either with (mark, negative_mark).
    The key is the first answer of R, the first two of C.
    """
    fields = {
        "start_date": NOW - timedelta(hours=1),
        "duration": timedelta(minutes=30),
        "mark_per_question": "1.00",
        "negative_marks": "0.25",
        "course": Course.objects.get_or_create(name=course)[0],
    } | fields
    exam = Exam.objects.create(title=title, **fields)
    exam.batches.set([Batch.objects.get_or_create(name=name)[0] for name in batches])
    for order, question in enumerate(questions):
        marks = {}
        if isinstance(question, tuple):
            question, (mark, negative) = question
            marks = {"mark": mark, "negative_mark": negative}
        if isinstance(question, str):
            question = make_question(question, key=(0, 1) if question == "C" else (0,), text=f"{title} {order}")
        ExamQuestion.objects.create(exam=exam, question=question, order=order, **marks)
    exam.refresh_from_db()
    return exam
