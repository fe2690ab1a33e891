"""Who may call the signed API: every way of getting it wrong has the one answer, and a nonce is good once."""

import io
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from accounts import credentials
from accounts.models import Nonce
from exams.models import Attachment
from tests.conftest import NOW, Api, make_exam, make_user
from tests.exams.signed import BODY_403, BOUNDARY, SignedClient, base_string, multipart, sign


@pytest.fixture
def exam(db):
    return make_exam(questions=())


def milliseconds(moment):
    return int(moment.timestamp() * 1000)


# --- In the manner of published clients ------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["query", "json", "form"])
@pytest.mark.parametrize("path_sent", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_path_parameters_are_signed_whether_or_not_they_are_sent(where, path_sent, as_text, system, exam):
    pk = system.upload(exam)["attachment"]["id"]
    text = {"exam_id": str(exam.pk), "id": str(pk)} if as_text else {}

    system.call("GET", exam, pk, text, where=where, path_sent=path_sent)
    system.call("DELETE", exam, pk, text, where=where, path_sent=path_sent)


def test_a_client_that_puts_the_signed_text_into_the_url(system, exam):
    """The Python client's GET: the text with its `?` made `&`, and a JSON content type without a body."""
    named = {"exam_id": exam.pk, "nonce": "1527500365052", "timestamp": str(milliseconds(timezone.now()))}
    url = f"{system.path(exam)}?{base_string(named).replace('?', '&')}&signature={sign(system.secret, named)}"

    assert system.send("GET", url, content_type="application/json") == {"attachments": []}


def test_a_client_whose_delete_has_a_json_body(system, exam):
    """The Python client's DELETE: all parameters, numbers and texts, in JSON."""
    pk = system.upload(exam)["attachment"]["id"]
    named = {"id": pk, "exam_id": exam.pk, "nonce": "1527500365053", "timestamp": str(milliseconds(timezone.now()))}
    body = json.dumps(named | {"signature": sign(system.secret, named)})

    assert system.send("DELETE", system.path(exam, pk), body, "application/json") == {}


def test_a_client_that_signs_the_path_and_sends_the_stamps_in_the_query(system, exam):
    """The Go client's GET: `nonce`, `timestamp` and `signature` in the query, the rest in the path alone."""
    named = system.stamped({"exam_id": str(exam.pk)})
    signature = sign(system.secret, named)
    url = f"{system.path(exam)}?nonce={named['nonce']}&timestamp={named['timestamp']}&signature={signature}"

    assert system.send("GET", url) == {"attachments": []}


def test_the_stamps_may_stand_in_the_query_of_a_multipart_post(system, exam):
    named = system.signed(exam)
    body = multipart([], [("document", "a.pdf", b"content", "application/pdf")])

    system.send(
        "POST", f"{system.path(exam)}?{urlencode(named)}", body, f"multipart/form-data; boundary={BOUNDARY}", status=201
    )


@pytest.mark.parametrize(
    "value",
    [
        "1+1=2",
        "100%",
        "%2B",
        "a=b",
        "a?b=c&d",
        "தமிழ் é 😀",
        " blank ",
        "",
        "line\r\nbreak",
        "\x00",
        '"quoted\\"',
        "a;b",
    ],
)
@pytest.mark.parametrize("where", ["query", "json", "form", "multipart"])
def test_values_are_signed_as_they_are(value, where, system, exam):
    if where == "multipart":
        system.upload(exam, parameters={"note": value})
    else:
        system.call("GET", exam, parameters={"note": value, f"name {value}": "x"}, where=where)


def test_a_json_list_is_signed_as_json(system, exam):
    system.call("GET", exam, parameters={"ids": [1, "é", {"a": None}]}, where="json")


@pytest.mark.parametrize("text", ["1.50", "1e3", "true", "null", '{"b" : [1,2]}', "[]"])
def test_other_json_values_are_signed_as_written(text, system, exam):
    named = system.stamped({"exam_id": str(exam.pk), "note": text})
    rest = json.dumps({k: v for k, v in named.items() if k != "note"} | {"signature": sign(system.secret, named)})

    system.send("GET", system.path(exam), f'{{"note" : {text} , {rest[1:]}', "application/json")


def test_the_same_value_in_several_places_counts_once(system, exam):
    named = system.signed(exam)
    query = urlencode([*named.items(), *named.items()])

    system.send("GET", f"{system.path(exam)}?{query}", json.dumps(named), "application/json")


@pytest.mark.parametrize("name", ["exam_id", "nonce", "timestamp", "signature", "note"])
def test_different_values_of_one_name_are_refused(name, system, exam):
    named = system.signed(exam, None, {"note": "a"})
    for other in ("0", ""):
        query = urlencode([*named.items(), (name, other)])
        assert system.send("GET", f"{system.path(exam)}?{query}", status=403) == BODY_403
    body = json.dumps({name: "0"})
    url = f"{system.path(exam)}?{urlencode(named)}"
    assert system.send("GET", url, body, "application/json", status=403) == BODY_403
    doubled = json.dumps(named)[:-1] + f', "{name}": "0"}}'
    assert system.send("GET", system.path(exam), doubled, "application/json", status=403) == BODY_403
    system.send("GET", url)  # none of those used up the nonce


# --- Every way of getting it wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token",
        "Token ",
        "Token token=",
        "Token {key}",
        "Token key={key}",
        "Token token={key}x",
        "Token token=x{key}",
        'Token token="{key}',
        "Token token={key}, nonce=1",
        "Bearer {key}",
        "JWT {key}",
        "Basic {key}",
        "Token token=AAAAAAAAAAAAAAAAAAAAAA",
        "Token token=" + "A" * 5000,
        "Token token=\x00",
        "Token token=\xe9",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_key_that_is_missing_malformed_or_wrong(header, method, system, exam):
    extra = {"HTTP_AUTHORIZATION": header.replace("{key}", system.key)} if header is not None else {}
    if header is None:
        system.defaults.pop("HTTP_AUTHORIZATION", None)
        response = system.generic(method, f"{system.path(exam)}?{urlencode(system.signed(exam))}")
        assert (response.status_code, response.json()) == (403, BODY_403)
    else:
        assert system.call(method, exam, status=403, **extra) == BODY_403
    assert "WWW-Authenticate" not in (system.response if header is not None else response)


@pytest.mark.parametrize(
    "header", ["Token token={key}", 'Token token="{key}"', "token token={key}", "Token  token={key}"]
)
def test_ways_to_write_the_key(header, system, exam):
    system.call("GET", exam, HTTP_AUTHORIZATION=header.replace("{key}", system.key))


def test_an_unknown_key_is_refused_before_the_body_is_read(system, exam):
    class Untouchable(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("the body was read")

        readline = read

    system.key = "unknown"

    assert system.upload(exam, status=403, **{"wsgi.input": Untouchable()}) == BODY_403


WRONG = {
    "no signature": {"signature": None},
    "empty signature": {"signature": ""},
    "wrong signature": {"signature": "0" * 64},
    "signature in capitals": {"signature": "A" * 64},
    "signature of other letters": {"signature": "é" * 32},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "5"},
    "no timestamp": {"timestamp": None},
    "another timestamp": {"timestamp": "1527500365052"},
    "one more": {"note": "x"},
    "another exam": {"exam_id": "0"},
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("where", ["query", "json", "form"])
def test_what_does_not_match_the_signature(wrong, where, system, exam):
    assert system.call("GET", exam, where=where, sent=WRONG[wrong], status=403) == BODY_403
    assert not Nonce.objects.exists()


@pytest.mark.parametrize(
    "value",
    ["", "abc", "1" * 65, "17 ", " 17", "1,5", "0x11", "١٧", "1\x00", "-", "1.", "[17]", "null", "NaN"],
)
def test_a_nonce_that_is_no_number(value, system, exam):
    assert system.call("GET", exam, parameters={"nonce": value}, status=403) == BODY_403
    assert not Nonce.objects.exists()


@pytest.mark.parametrize("value", ["0", "1" * 64, "-17", "0.4883", "1.5e-7", "007"])
def test_numbers_that_are_nonces(value, system, exam):
    system.call("GET", exam, parameters={"nonce": value})

    assert Nonce.objects.get().text == value


@pytest.mark.parametrize("value", ["", "abc", "-1", "1.5", "9" * 14, "9" * 15, "9" * 400, "1e12", "١٧", " 1", "\x00"])
def test_a_timestamp_that_is_none(value, system, exam):
    assert system.call("GET", exam, parameters={"timestamp": value}, status=403) == BODY_403


def test_a_timestamp_in_seconds_is_too_old(system, exam):
    assert system.call("GET", exam, parameters={"timestamp": int(timezone.now().timestamp())}, status=403) == BODY_403


@pytest.mark.parametrize(
    ("off", "status"),
    [
        (timedelta(0), 200),
        (-timedelta(hours=24), 200),
        (-timedelta(hours=24, milliseconds=1), 403),
        (timedelta(minutes=5), 200),
        (timedelta(minutes=5, milliseconds=1), 403),
    ],
)
def test_how_old_and_how_far_ahead_a_timestamp_may_be(off, status, system, exam, at):
    at(NOW)

    system.call("GET", exam, parameters={"timestamp": milliseconds(NOW + off)}, status=status)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"a": NaN}',
        b"[" * 50_000,
        b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:8]),
)
def test_a_json_body_that_cannot_be_read(body, system, exam):
    url = f"{system.path(exam)}?{urlencode(system.signed(exam))}"

    assert system.send("POST", url, body, "application/json", status=403) == BODY_403


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=other",
    ],
)
def test_a_multipart_body_that_cannot_be_read(content_type, system, exam, private_files):
    url = f"{system.path(exam)}?{urlencode(system.signed(exam))}"
    body = multipart([], [("document", "a.pdf", b"content", None)])

    assert system.send("POST", url, body, content_type, status=403) == BODY_403
    assert private_files() == []


def test_a_form_of_too_many_fields(system, exam):
    body = "&".join(f"a{n}=1" for n in range(2000))
    url = f"{system.path(exam)}?{urlencode(system.signed(exam))}"

    assert system.send("POST", url, body, "application/x-www-form-urlencoded", status=403) == BODY_403


def test_authentication_comes_before_all_else(system, exam):
    """What an authenticated request is told, another one is not."""
    wrong = {"sent": {"signature": "0" * 64}, "status": 403}

    assert system.call("PUT", exam, **wrong) == BODY_403
    assert system.call("GET", exam, **wrong, HTTP_ACCEPT="text/html") == BODY_403
    assert system.call("GET", "x", **wrong) == BODY_403
    assert system.call("GET", exam.pk + 1, **wrong) == BODY_403
    assert system.call("GET", exam, 7, **wrong) == BODY_403
    assert system.call("GET", exam, parameters={"page": "x"}, **wrong) == BODY_403
    url = f"{system.path(exam)}?nonce=1"
    assert system.send("POST", url, b"<a/>", "application/xml", status=403) == BODY_403


# --- Nonces ----------------------------------------------------------------------------------------------------------


def test_a_request_is_served_once(system, exam):
    named = system.signed(exam)
    url = f"{system.path(exam)}?{urlencode(named)}"

    system.send("GET", url)
    assert system.send("GET", url, status=403) == BODY_403
    assert system.call("GET", exam, parameters={"nonce": named["nonce"]}, status=403) == BODY_403


def test_a_nonce_belongs_to_its_credential(system, exam, clerk):
    other = SignedClient(clerk)

    system.call("GET", exam, parameters={"nonce": 5})
    other.call("GET", exam, parameters={"nonce": 5})
    system.call("GET", exam, parameters={"nonce": "05"})
    system.call("GET", exam, parameters={"nonce": 5}, status=403)


@pytest.mark.parametrize(
    ("method", "exam_id", "pk", "parameters", "status"),
    [
        ("GET", None, None, {"page": "x"}, 400),
        ("GET", "x", None, {}, 400),
        ("GET", 0, None, {}, 404),
        ("GET", None, 7, {}, 404),
        ("POST", None, None, {}, 400),
        ("PUT", None, None, {}, 405),
    ],
)
def test_a_valid_signature_uses_the_nonce_up_even_when_the_call_fails(
    method, exam_id, pk, parameters, status, system, exam
):
    exam_id = exam.pk if exam_id is None else exam_id
    named = {"nonce": 5, **parameters}

    system.call(method, exam_id, pk, named, status=status)
    assert system.call(method, exam_id, pk, named, status=403) == BODY_403


def test_a_nonce_is_used_up_by_who_has_no_right(teacher, exam):
    client = SignedClient(teacher)
    client.call("GET", exam, parameters={"nonce": 5}, status=403)
    teacher.user_permissions.add(Permission.objects.get(codename="view_attachment"))

    assert client.call("GET", exam, parameters={"nonce": 5}, status=403) == BODY_403
    client.call("GET", exam)


def test_a_nonce_is_used_up_where_the_server_fails(system, exam, monkeypatch):
    monkeypatch.setattr("exams.attachment_views.AttachmentsView.get", lambda self, request, **kwargs: 1 / 0)
    system.raise_request_exception = False

    system.call("GET", exam, parameters={"nonce": 5}, status=500)
    system.call("GET", exam, parameters={"nonce": 5}, status=403)


def test_a_nonce_is_good_again_24_hours_after_its_timestamp(system, exam, at):
    at(NOW)
    system.call("GET", exam, parameters={"nonce": 5, "timestamp": milliseconds(NOW - timedelta(hours=1))})

    for hours, status in ((22, 403), (23, 403), (24, 200), (25, 403)):
        at(NOW + timedelta(hours=hours))
        stamp = milliseconds(NOW + timedelta(hours=hours))
        system.call("GET", exam, parameters={"nonce": 5, "timestamp": stamp}, status=status)


def test_expired_nonces_go_in_passing_some_at_a_time(system, exam, at):
    at(NOW)
    system.call("GET", exam)
    Nonce.objects.bulk_create(
        Nonce(credential=system.credential, text=f"old {n}", expires=NOW - timedelta(days=n + 1)) for n in range(50)
    )
    just = Nonce.objects.create(credential=system.credential, text="just", expires=NOW - timedelta(minutes=1))

    for left in (30, 10, 0, 0):
        system.call("GET", exam)
        assert Nonce.objects.filter(text__startswith="old").count() == left
    assert Nonce.objects.filter(pk=just.pk).exists()  # another server's clock may be behind
    assert Nonce.objects.count() == 6


def test_a_nonce_cannot_be_used_inside_a_transaction_that_may_fail(system):
    """It would be unused again."""
    now = timezone.now()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        credentials.use_nonce(system.credential, "5", expires=now, now=now)


# --- Rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "allowed"),
    [("view_attachment", "GET"), ("add_attachment", "POST"), ("delete_attachment", "DELETE"), ("change_exam", None)],
)
def test_each_call_needs_its_right(right, allowed, teacher, exam, private_files):
    client = SignedClient(teacher)
    teacher.user_permissions.add(Permission.objects.get(codename=right))
    row = Attachment.objects.create(exam=exam, file="a/0", file_name="a", content_type="a/b", size=1)

    for method in ("GET", "POST", "DELETE"):
        if method == allowed:
            continue
        if method == "POST":
            assert client.upload(exam, status=403) == BODY_403
        else:
            assert client.call(method, exam, row.pk, status=403) == BODY_403
    if allowed == "POST":
        client.upload(exam)
    elif allowed:
        client.call(allowed, exam, row.pk)
    assert len(private_files()) == (allowed == "POST")


def test_a_superuser_may_all(admin, exam):
    client = SignedClient(admin)
    pk = client.upload(exam)["attachment"]["id"]

    client.call("GET", exam)
    client.call("DELETE", exam, pk)


def test_a_student_may_nothing_even_with_rights(asha, exam):
    asha.user_permissions.set(Permission.objects.filter(content_type__model="attachment"))

    assert SignedClient(asha).call("GET", exam, status=403) == BODY_403


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_a_credential_ends_with_its_user(change, system, clerk, exam):
    system.call("GET", exam)
    type(clerk).objects.filter(pk=clerk.pk).update(**change)

    assert system.call("GET", exam, status=403) == BODY_403


def test_a_revoked_credential_is_dead_at_once_and_another_one_lives(system, clerk, exam):
    other = SignedClient(clerk)
    credentials.revoke(clerk.api_credentials.filter(pk=system.credential.pk), now=timezone.now())

    assert system.call("GET", exam, status=403) == BODY_403
    other.call("GET", exam)


def test_a_secret_that_cannot_be_decrypted_is_a_403_and_logged(system, exam, settings, caplog):
    settings.CREDENTIAL_KEYS = ["another key of thirty-two characters"]

    assert system.call("GET", exam, status=403) == BODY_403
    assert f"The secret of API credential {system.credential.pk}" in caplog.text


def test_last_used_is_noted_to_the_minute(system, exam, at):
    seen = []
    for seconds in (0, 30, 59, 60, 61):
        at(NOW + timedelta(seconds=seconds))
        system.call("GET", exam)
        system.credential.refresh_from_db()
        seen.append((system.credential.last_used - NOW).total_seconds())

    assert seen == [0, 0, 0, 60, 60]


def test_a_wrong_signature_is_no_use(system, exam):
    system.call("GET", exam, sent={"signature": "0" * 64}, status=403)

    system.credential.refresh_from_db()
    assert system.credential.last_used is None


def test_the_key_opens_nothing_else(system):
    api = Api()
    api.get("me/", status=401, HTTP_AUTHORIZATION=f"Token token={system.key}")


def test_two_users_with_the_same_right_have_their_own_credentials(system, exam):
    other = SignedClient(make_user("second", is_staff=True, is_superuser=True))
    other.key = system.key

    assert other.call("GET", exam, status=403) == BODY_403
