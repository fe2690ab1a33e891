"""Who may make which call: every endpoint of the URL conf, for every sort of visitor.

What lies on the stage is Asha's, or her batch's. Staff and superusers have no rights here that a student without a
batch has not: their place is the admin site.
"""

import pytest
from django.db import transaction

from attempts.models import Attempt, AttemptItem
from exams.models import Exam
from posts.models import Post
from tests.conftest import Api
from tests.contract.stage import CALLS, endpoints

VISITORS = ["nobody", "asha", "balu", "chitra", "teacher", "admin"]

LOGGED_OUT = (401, None)
FORBIDDEN = (403, None)  # of a user's profile, where no rule of an exam has a word for it
UNAVAILABLE = (403, "not_available")

# What each visitor gets, in the order of VISITORS: (status, code).
EVERYBODY = [(200, None)] * 6
STUDENTS = [LOGGED_OUT] + [(200, None)] * 5
BATCH = [LOGGED_OUT, (200, None), (200, None), UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]
ASHA = [LOGGED_OUT, (200, None), UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]
HERSELF = [LOGGED_OUT, (200, None), FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]

MATRIX = {
    "POST auth-token": EVERYBODY,
    "GET me": STUDENTS,
    "GET users/<>": STUDENTS,
    "PUT users/<>": HERSELF,
    "PATCH users/<>": HERSELF,
    "GET exams": STUDENTS,
    "GET exams/available": STUDENTS,
    "GET exams/upcoming": STUDENTS,
    "GET exams/history": STUDENTS,
    "GET exams/<>": BATCH,
    "GET exams/<>/attempts": BATCH,
    "POST exams/<>/attempts": [*BATCH[:2], (201, None), *BATCH[3:]],
    "GET exams/<>/attachments": BATCH,
    "GET attempts": STUDENTS,
    "GET attempts/<>": ASHA,
    "PUT attempts/<>/start": ASHA,
    "PUT attempts/<>/heartbeat": ASHA,
    "PUT attempts/<>/end": ASHA,
    "GET attempts/<>/questions": ASHA,
    "GET attempts/<>/questions/<>": ASHA,
    "PUT attempts/<>/questions/<>": ASHA,
    "GET attempts/<>/review": ASHA,
    "GET products": STUDENTS,
    "GET products/<>": STUDENTS,
    "GET posts": STUDENTS,
    "GET posts/<>": BATCH,
}


def visitor(stage, name):
    return Api(None if name == "nobody" else getattr(stage, name))


def visit(stage, name, endpoint, **kwargs):
    """The response, with all that the call wrote rolled back."""
    with transaction.atomic():
        response = stage.call(visitor(stage, name), endpoint, **kwargs)
        transaction.set_rollback(True)
    return response


def test_the_matrix_has_every_endpoint():
    assert sorted(MATRIX) == endpoints()


@pytest.mark.parametrize("endpoint", MATRIX)
def test_who_may(stage, endpoint):
    """Each visitor gets the expected status and code; a refusal is nothing but `detail` and `code`."""
    found = {name: visit(stage, name, endpoint) for name in VISITORS}

    assert [(response.status_code, response.json().get("code")) for response in found.values()] == MATRIX[endpoint]
    for response in found.values():
        if response.status_code >= 400:
            assert set(response.json()) - {"code"} == {"detail"}
        if response.status_code == 401:
            assert response.headers["WWW-Authenticate"].startswith("JWT")


@pytest.mark.parametrize("endpoint", [endpoint for endpoint, call in CALLS.items() if call.writes])
def test_a_refused_call_writes_nothing(stage, endpoint):
    """Not a single column of what belongs to Asha."""
    rows = [type(row).objects.filter(pk=row.pk).values() for row in (stage.asha, stage.running, stage.completed)]
    rows.append(AttemptItem.objects.filter(attempt=stage.running).order_by("pk").values())
    before, attempts = [list(row.all()) for row in rows], Attempt.objects.count()
    for name, (status, _) in zip(VISITORS, MATRIX[endpoint], strict=True):
        if status >= 400:
            assert stage.call(visitor(stage, name), endpoint).status_code == status
    assert [list(row.all()) for row in rows] == before
    assert Attempt.objects.count() == attempts


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in MATRIX if endpoint != "POST auth-token"])
def test_nobody_without_a_token_that_holds(stage, endpoint):
    """Ended tokens, and others' schemes, are as good as none."""
    token = f"JWT {Api(stage.asha)._credentials['HTTP_AUTHORIZATION'].split()[1]}"
    stage.asha.set_password("another one 43")
    stage.asha.save()
    for authorization in (token, token.replace("JWT", "Bearer"), token[:-2], token + "A"):
        response = stage.call(Api(), endpoint, HTTP_AUTHORIZATION=authorization)
        assert (response.status_code, list(response.json())) == (401, ["detail"])


def test_an_ended_token_is_not_told_what_is_wrong_with_its_request(stage):
    """Not even where its user is read together with what the call is about."""
    api = Api(stage.asha)
    stage.asha.is_active = False
    stage.asha.save()
    item = stage.running.items.first()
    for attempt, body in [(stage.running.pk, {"review": 7}), (stage.running.pk, {}), (10**9, {})]:
        api.put(f"attempts/{attempt}/questions/{item.pk}/", body, status=401)
    api.put(f"users/{stage.asha.pk}/", {"email": 7}, status=401)
    api.get("users/999999/", status=401)


def rows(response):
    return response.json()["results"]


def test_lists_hold_only_what_is_ones_own(stage):
    """Exams and posts of one's batches, attempts of one's own; for staff as for a student without a batch."""
    found = {
        name: [
            len(rows(visit(stage, name, f"GET {path}"))) for path in ("exams", "exams/upcoming", "attempts", "posts")
        ]
        for name in VISITORS[1:]
    }

    assert found == {
        "asha": [5, 1, 3, 1],
        "balu": [5, 1, 0, 1],
        "chitra": [0, 0, 0, 0],
        "teacher": [0, 0, 0, 0],
        "admin": [0, 0, 0, 0],
    }


def test_history_is_ones_own(stage):
    """Also inside an exam that both see: another student's attempts are nobody else's business."""
    assert len(rows(visit(stage, "asha", "GET exams/history"))) == 3
    assert rows(visit(stage, "balu", "GET exams/history")) == []
    assert visit(stage, "balu", "GET exams/<>").json()["attempts"] == []
    assert rows(visit(stage, "balu", "GET exams/<>/attempts")) == []


def test_user_tells_others_only_what_is_public(stage):
    """Twelve fields; to oneself all of them, also for staff."""
    keys = {name: list(visit(stage, name, "GET users/<>").json()) for name in VISITORS[1:]}

    assert len(keys["asha"]) == 22
    assert len(keys["balu"]) == 12
    assert not {"email", "phone", "batches", "birth_date"} & set(keys["balu"])
    assert keys["balu"] == keys["chitra"] == keys["teacher"] == keys["admin"]


@pytest.mark.parametrize("name", VISITORS[1:])
def test_draft_and_what_is_not_there_are_not_found(stage, name):
    """404 for everybody, also staff: a draft does not exist yet."""
    Post.objects.update(active=False)
    api = visitor(stage, name)
    for path in (
        f"exams/{stage.draft.slug}/",
        f"exams/{stage.draft.slug}/attempts/",
        "exams/nothing/",
        "attempts/999999/",
        f"posts/{stage.post.slug}/",
        "products/nothing/",
        "users/999999/",
    ):
        assert api.get(path, status=404) == {"detail": api.response.json()["detail"]}, path
    api.post(f"exams/{stage.draft.slug}/attempts/", status=404)


def test_item_of_another_attempt_is_not_found(stage):
    """An item is looked for in its attempt: neither one's own others nor another student's are reached through it."""
    balus = Api(stage.balu).post(f"exams/{stage.exam.slug}/attempts/", status=201)
    his_item = Api(stage.balu).get(balus["questions_url"])["results"][0]
    api = Api(stage.asha)
    for item in (his_item["id"], stage.completed.items.first().pk):
        api.get(f"attempts/{stage.running.pk}/questions/{item}/", status=404)
        api.put(f"attempts/{stage.running.pk}/questions/{item}/", {"review": True}, status=404)
    assert api.put(his_item["url"], {"review": True}, status=403)["code"] == "not_available"
    assert AttemptItem.objects.get(pk=his_item["id"]).review is None


def test_who_has_an_attempt_keeps_it(stage):
    """Whatever becomes of batches and publication: the exam, saving, ending and the review; nobody gets it anew."""
    stage.asha.batches.clear()
    Exam.objects.update(published=False)
    calls = [endpoint for endpoint, call in CALLS.items() if "attempts/<>" in endpoint or "exams/<>" in endpoint]
    assert len(calls) == 12

    assert {endpoint: visit(stage, "asha", endpoint).status_code for endpoint in calls} == dict.fromkeys(calls, 200)
    assert {visit(stage, "balu", endpoint).status_code for endpoint in calls} == {403, 404}


CODES = {
    "attempt_completed": [
        ("put", "attempts/{completed.pk}/start/", None),
        ("get", "attempts/{completed.pk}/questions/", None),
        ("get", "attempts/{completed.pk}/questions/{done_item}/", None),
        ("put", "attempts/{completed.pk}/questions/{done_item}/", {"review": True}),
    ],
    "attempt_not_completed": [("get", "attempts/{running.pk}/review/", None)],
    "exam_not_started": [("post", "exams/{upcoming_exam.slug}/attempts/", None)],
    "retake_not_allowed": [("post", "exams/{completed_exam.slug}/attempts/", None)],
}


@pytest.mark.parametrize(("code", "call"), [(code, call) for code, calls in CODES.items() for call in calls])
def test_what_a_rule_refuses_has_its_code(stage, code, call):
    """403, `detail` and `code`, and nothing else."""
    method, path, body = call
    path = stage.path(path.replace("{done_item}", str(stage.completed.items.first().pk)))

    found = getattr(Api(stage.asha), method)(path, body, status=403)

    assert found == {"detail": found["detail"], "code": code}


def test_codes_of_a_window_and_of_a_limit(stage):
    """The other two refusals of a start."""
    api = Api(stage.asha)
    Exam.objects.filter(pk=stage.untouched_exam.pk).update(end_date=stage.running.date)
    assert api.post(f"exams/{stage.untouched_exam.slug}/attempts/", status=403)["code"] == "exam_ended"
    Exam.objects.filter(pk=stage.hidden_exam.pk).update(max_retakes=0)
    assert api.post(f"exams/{stage.hidden_exam.slug}/attempts/", status=403)["code"] == "no_attempts_left"


@pytest.mark.parametrize("name", VISITORS)
def test_signed_api_takes_nobodys_token(stage, name):
    """Below /api/v3/ a student's or a superuser's token is no key; the refusal is always the same."""
    paths = sorted({endpoint.split()[1] for endpoint in endpoints("api/v3") if "<>" in endpoint})
    assert paths == ["exams/<>/attachments", "exams/<>/attachments/<>"]
    for path in paths:
        for method in ("get", "post", "put", "delete"):
            for slash in ("", "/"):
                found = visitor(stage, name).call(method, f"/api/v3/{path.replace('<>', '1')}{slash}", status=403)
                assert found == {"error": "You are not authorized to access this page."}
