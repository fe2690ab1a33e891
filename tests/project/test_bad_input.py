"""Whatever is sent, the answer is JSON and no 5xx: a 4xx that names the field, or a 2xx where the value is fine.

Table-driven: each test takes one field, parameter, path or header through all values, and lists what went wrong.
"""

import json
import logging
from copy import deepcopy
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.core import signals
from django.db import close_old_connections, transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import LoginFailure
from accounts.tokens import StudentToken
from testpress.wsgi import application
from tests.conftest import NOW, Api
from tests.contract.stage import CALLS, standing

ROOT = "/api/v2.1/"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def built_stage(django_db_setup, django_db_blocker):
    with standing(django_db_blocker) as stage:
        yield stage


@pytest.fixture
def stage(built_stage, db, at, settings):
    """The stage of the contract's tests, in silence: each of these answers is logged."""
    at(NOW)
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 200  # as good as many thousands, and quicker to exceed
    logging.disable(logging.CRITICAL)
    yield deepcopy(built_stage)
    logging.disable(logging.NOTSET)


@pytest.fixture
def api(stage):
    """Asha's client, whose server answers 500 where a test's would raise."""
    api = Api(stage.asha)
    api.raise_request_exception = False
    return api


def send(api, method, path, content=b"", content_type=JSON, **extra):
    """The response to these very bytes, all that it wrote rolled back."""
    with transaction.atomic():
        content = content.encode() if isinstance(content, str) else content
        response = api.generic(method, ROOT + path, content, content_type, **extra)
        transaction.set_rollback(True)
    return response


def slip(response, allowed, fields=None):
    """What is wrong with an answer, as text; None if nothing.

    It must be JSON with a status in `allowed`. A 400 must name these `fields` alone, each with a list of sentences.
    """
    told = f"{response.status_code} {response.content[:200]!r}"
    if response.status_code not in allowed:
        return f"not {allowed}: {told}"
    if response.headers.get("Content-Type", "").partition(";")[0] != JSON:
        return f"no JSON: {told}"
    answer = json.loads(response.content)
    if response.status_code == 400:
        if fields is not None and set(answer) != fields:
            return f"names {sorted(answer)}, not {sorted(fields)}"
        if not all(
            isinstance(found, list) and found and all(isinstance(f, str) for f in found) for found in answer.values()
        ):
            return f"no lists of sentences: {told}"
    elif response.status_code >= 400 and not isinstance(answer.get("detail"), str):
        return f"no detail: {told}"
    return None


def no_slips(found):
    found = {name: what for name, what in found.items() if what}
    assert found == {}


# --- Fields of a body -------------------------------------------------------------------------------------------------

# JSON texts, since several cannot be written from Python values.
VALUES = {
    "null": "null",
    "true": "true",
    "false": "false",
    "0": "0",
    "1": "1",
    "-1": "-1",
    "1.0": "1.0",
    "1.5": "1.5",
    "2**31": str(2**31),
    "2**32": str(2**32),
    "2**63": str(2**63),
    "2**64": str(2**64),
    "-2**63-1": str(-(2**63) - 1),
    "10**400": "1" + "0" * 400,
    "1e400": "1e400",
    "-1e400": "-1e400",
    "1e-400": "1e-400",
    "empty": '""',
    "blank": '"   "',
    "text": '"text"',
    "digits": '"1"',
    "unicode digits": '"\\u0661\\u0662"',
    "superscript": '"\\u00b2"',
    "NUL": '"a\\u0000b"',
    "only NUL": '"\\u0000"',
    "surrogate": '"a\\ud800b"',
    "low surrogate": '"\\udc00"',
    "other controls": '"\\u0001\\u001b\\u007f"',
    "not a character": '"\\uffff\\ufffe"',
    "astral": '"\\ud83d\\ude00"',
    "right to left": '"\\u202e"',
    "long": json.dumps("x" * 100_001),
    "empty list": "[]",
    "list of null": "[null]",
    "list of text": '["text"]',
    "list of digits": '["1"]',
    "list of true": "[true]",
    "list of 1.5": "[1.5]",
    "list of 1e400": "[1e400]",
    "list of -1": "[-1]",
    "list of 2**31": f"[{2**31}]",
    "list of 2**63": f"[{2**63}]",
    "list of 2**64": f"[{2**64}]",
    "list of 10**400": f"[{10**400}]",
    "list of lists": "[[1]]",
    "list of objects": '[{"id": 1}]',
    "long list": json.dumps(list(range(20_000))),
    "empty object": "{}",
    "object": '{"id": 1}',
    "object with a number": '{"0": 1}',
    "deep list": "[" * 500 + "]" * 500,
    "deep object": '{"a":' * 500 + "1" + "}" * 500,
}

# Of what JSON is there, these are text that a name or an address can be; which of them a field takes is its own.
ODD_TEXT = {"digits", "unicode digits", "superscript", "text", "not a character", "astral", "right to left"}
CLEARS = {"null", "empty"}
NAME = ODD_TEXT | CLEARS | {"blank", "other controls"}

# Which values each field of the profile takes.
PROFILE_FIELDS = {
    **dict.fromkeys(["first_name", "last_name", "address1", "address2", "city", "zip", "phone"], NAME),
    "email": CLEARS | {"blank"},
    "photo": CLEARS,
    **dict.fromkeys(["x_offset", "y_offset"], CLEARS | {"0", "1", "1.0", "1e-400"}),
    **dict.fromkeys(["crop_width", "crop_height"], CLEARS | {"1", "1.0"}),
    "birth_date": CLEARS,
    "gender": CLEARS | {"1", "1.0"},
    "state_choices": CLEARS | {"0", "1", "1.0", "1e-400"},
}
# What is not for students to write may be there, whatever it is: it changes nothing.
READ_ONLY = [
    "id",
    "username",
    "batches",
    "is_staff",
    "is_superuser",
    "is_active",
    "password",
    "large_image",
    "date_joined",
]
SHEET_READ_ONLY = ["id", "attempt", "question", "duration", "order", "url"]

PROFILE = "users/{asha.pk}/"
SHEET = "attempts/{running.pk}/questions/{item.pk}/"
ESSAY = "attempts/{running.pk}/questions/{essay.pk}/"


def all_fields(fields, value):
    """A body in which each field has this value."""
    return "{" + ", ".join(f'"{field}": {value}' for field in fields) + "}"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_fields_of_the_profile(api, stage, method):
    """Each value in all fields at once: a 400 names every field that does not take it, and no other."""
    found = {}
    for name, value in VALUES.items():
        response = send(api, method, stage.path(PROFILE), all_fields(PROFILE_FIELDS, value))
        refused = {field for field, fine in PROFILE_FIELDS.items() if name not in fine}
        found[name] = slip(response, (400,), refused) if refused else slip(response, (200,))
    no_slips(found)


def test_a_megabyte_in_a_field_of_the_profile(api, stage):
    no_slips(
        {
            (field, value[:5]): slip(send(api, "PUT", stage.path(PROFILE), json.dumps({field: value})), (400,), {field})
            for field in PROFILE_FIELDS
            for value in ("x" * 2**20, "a@" + "b." * 2**19)
        }
    )


def test_crop_box_without_a_photo(api, stage):
    """400 on what was sent of it."""
    for field in ("x_offset", "y_offset", "crop_width", "crop_height"):
        assert slip(send(api, "PUT", stage.path(PROFILE), f'{{"{field}": 1}}'), (400,), {field}) is None


@pytest.mark.parametrize(
    ("path", "fields", "row"),
    [(PROFILE, READ_ONLY, "asha"), (SHEET, SHEET_READ_ONLY, "item"), (ESSAY, SHEET_READ_ONLY, "essay")],
)
def test_fields_that_are_read_only(api, stage, path, fields, row):
    """They change nothing, whatever is sent."""
    row, found = getattr(stage, row), {}
    before = type(row).objects.filter(pk=row.pk).values().get() | {"duration": None}
    for name, value in VALUES.items():
        with transaction.atomic():
            response = api.generic("PUT", ROOT + stage.path(path), all_fields(fields, value), JSON)
            found[name] = slip(response, (200,))
            if type(row).objects.filter(pk=row.pk).values().get() | {"duration": None} != before:
                found[name] = "changed"
            transaction.set_rollback(True)
    no_slips(found)


@pytest.mark.parametrize(
    ("path", "field", "fine"),
    [
        (SHEET, "selected_answers", {"empty list"}),
        (SHEET, "review", {"null", "true", "false"}),
        (SHEET, "essay_text", CLEARS),
        (SHEET, "essay_topic", {"null"}),
        (ESSAY, "selected_answers", {"empty list"}),
        (ESSAY, "essay_text", NAME),
        (ESSAY, "essay_topic", {"null", "own"}),
    ],
)
def test_field_of_a_question(api, stage, path, field, fine):
    """A 400 names the field, unless the value is fine for this question; ids of others' answers and topics are not."""
    values = dict(VALUES)
    if field == "selected_answers":
        chosen = stage.item.question.answers.first().pk
        values |= {"twice": f"[{chosen}, {chosen}]", "another's": f"[{chosen + 4}]"}
    if field == "essay_topic":
        own = stage.essay.question.essay_topics.first().pk
        values |= {"own": str(own), "1": str(own + 1_000)}
    no_slips(
        {
            name: slip(
                send(api, "PUT", stage.path(path), f'{{"{field}": {value}}}'),
                (200,) if name in fine else (400,),
                {field},
            )
            for name, value in values.items()
        }
    )


@pytest.mark.parametrize("content_type", [FORM, MULTIPART_CONTENT])
def test_field_of_a_question_in_a_form(api, stage, content_type):
    """A form has only text, so digits are numbers there; everything else is as in JSON."""
    own, other = (answer.pk for answer in stage.item.question.answers.all()[:2])
    sent = [
        ({"selected_answers": own, "review": "true"}, None),
        ({"selected_answers": [own, own]}, "selected_answers"),
        ({"selected_answers": [own, other]}, "selected_answers"),
        *(
            ({"selected_answers": odd}, "selected_answers")
            for odd in ("", "x", "-1", "1.5", 2**64, "9" * 5_000, "\u00b2")
        ),
        *(({"review": odd}, "review") for odd in ("x", "2", "9" * 5_000, "\0")),
        *(({"essay_text": odd}, "essay_text") for odd in ("text", "\0", "x" * 100_001)),
        *(({"essay_topic": odd}, "essay_topic") for odd in ("x", "0", 2**64, "9" * 5_000, "\0")),
    ]
    for fields, refused in sent:
        content = urlencode(fields, doseq=True) if content_type == FORM else encode_multipart(BOUNDARY, fields)
        response = send(api, "PUT", stage.path(SHEET), content, content_type)
        assert slip(response, (400,) if refused else (200,), refused and {refused}) is None, fields


@pytest.mark.parametrize("field", ["username", "password"])
def test_field_of_a_log_in(api, field):
    """400: on the field where the value is no text, on the whole where it is the wrong one."""
    given = {"username": '"asha"', "password": '"wrong"'}
    refused = set(VALUES) - ODD_TEXT - {"other controls"}
    if field == "password":
        refused -= {"blank"}
    found = {}
    for name, value in VALUES.items():
        body = ", ".join(f'"{key}": {text}' for key, text in (given | {field: value}).items())
        response = send(api, "POST", "auth-token/", "{" + body + "}")
        found[name] = slip(response, (400,), {field if name in refused else "non_field_errors"})
    no_slips(found)
    assert not LoginFailure.objects.exists()


# --- Bodies -----------------------------------------------------------------------------------------------------------


def part(name, value, *headers):
    head = "\r\n".join([f'Content-Disposition: form-data; name="{name}"', *headers])
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + value + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()

# (content type, content) of bodies that cannot be read, or are no object.
UNREADABLE = {
    "list": (JSON, "[]"),
    "list of objects": (JSON, '[{"first_name": "x"}]'),
    "number": (JSON, "1"),
    "text": (JSON, '"text"'),
    "true": (JSON, "true"),
    "null": (JSON, "null"),
    "blank": (JSON, "  "),
    "half": (JSON, '{"first_name": "x"'),
    "two": (JSON, "{}{}"),
    "trailing comma": (JSON, '{"first_name": "x",}'),
    "single quotes": (JSON, "{'first_name': 'x'}"),
    "NaN": (JSON, '{"x_offset": NaN}'),
    "Infinity": (JSON, '{"x_offset": Infinity}'),
    "-Infinity": (JSON, '{"x_offset": -Infinity}'),
    "5,000 digits": (JSON, '{"x_offset": ' + "9" * 5000 + "}"),
    "raw NUL": (JSON, b'{"first_name": "\0"}'),
    "raw control": (JSON, '{"first_name": "\n"}'),
    "invalid UTF-8": (JSON, b'{"first_name": "\xff\xfe"}'),
    "surrogate in UTF-8": (JSON, b'{"first_name": "\xed\xa0\x80"}'),
    "UTF-16": (JSON, '{"first_name": "x"}'.encode("utf-16")),
    "bad escape": (JSON, '{"first_name": "\\x"}'),
    "100,000 lists": (JSON, "[" * 100_000 + "]" * 100_000),
    "100,000 lists, open": (JSON, "[" * 100_000),
    "100,000 objects": (JSON, '{"a":' * 100_000 + "1" + "}" * 100_000),
    "deep in a field": (JSON, '{"selected_answers": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    "no boundary": ("multipart/form-data", part("first_name", b"x") + END),
    "empty boundary": ("multipart/form-data; boundary=", part("first_name", b"x") + END),
    "boundary not ASCII": ("multipart/form-data; boundary=\xe9", part("first_name", b"x") + END),
    "too many fields": (FORM, "&".join(f"a{n}=1" for n in range(201))),
    "too many parts": (MULTIPART_CONTENT, b"".join(part(f"a{n}", b"1") for n in range(201)) + END),
    "101 files": (
        MULTIPART_CONTENT,
        b"".join(part(f'a{n}"; filename="a', b"x") for n in range(101)) + END,
    ),
}

# Bodies that can be read somehow, or need not be: 200, or any 4xx.
ODD = {
    "nothing": (JSON, ""),
    "empty object": (JSON, "{}"),
    "key twice": (JSON, '{"city": "x", "city": "y"}'),
    "odd keys": (JSON, '{"": 1, "\\u0000": 1, "\\ud800": 1, "__class__": 1, "0": 1}'),
    "byte order mark": (JSON, b"\xef\xbb\xbf{}"),
    "huge exponent": (JSON, '{"city": 1e999999999}'),
    "form of nothing": (FORM, ""),
    "form of garbage": (FORM, "%zz=%&&==&%"),
    "form of invalid UTF-8": (FORM, "city=%ff%fe&%ff=1"),
    "form of surrogates": (FORM, "city=%ed%a0%80"),
    "form of NUL": (FORM, "city=%00&essay_text=%00&username=%00&password=%00"),
    "form of raw bytes": (FORM, b"\xff\x00\xfe=\x80"),
    "form, list fields": (FORM, "selected_answers=&selected_answers[0]=1&selected_answers[x]=1&selected_answers=1"),
    "form, list far out": (FORM, "selected_answers[99999999999999999999]=1&batches[0]=1"),
    "multipart of nothing": (MULTIPART_CONTENT, b""),
    "multipart, only its end": (MULTIPART_CONTENT, END),
    "multipart without end": (MULTIPART_CONTENT, part("city", b"x")),
    "multipart, other boundary": ("multipart/form-data; boundary=other", part("city", b"x") + END),
    "multipart without name": (MULTIPART_CONTENT, f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END),
    "multipart without headers": (MULTIPART_CONTENT, f"--{BOUNDARY}\r\nx".encode()),
    "multipart, bad base64": (MULTIPART_CONTENT, part("city", b"!", "Content-Transfer-Encoding: base64") + END),
    "multipart, bad base64 file": (
        MULTIPART_CONTENT,
        part('photo"; filename="x.png', b"!!!!!", "Content-Transfer-Encoding: base64") + END,
    ),
    "multipart, NUL": (MULTIPART_CONTENT, part("city", b"\0") + part("essay_text", b"\0") + END),
    "multipart, invalid UTF-8": (MULTIPART_CONTENT, part("city", b"\xff") + END),
    "multipart, unknown charset": (MULTIPART_CONTENT, part("city", b"x", "Content-Type: text/plain; charset=x") + END),
    "multipart, file for text": (MULTIPART_CONTENT, part('city"; filename="x', b"x") + END),
    "multipart, file for list": (MULTIPART_CONTENT, part('selected_answers"; filename="x', b"1") + END),
    "multipart, empty file": (MULTIPART_CONTENT, part('photo"; filename="x.png', b"") + END),
    "multipart, file name with NUL": (MULTIPART_CONTENT, part('photo"; filename="\0../x.png', b"x") + END),
    "multipart, text for file": (MULTIPART_CONTENT, part("photo", b"x") + END),
    "multipart, long header": (MULTIPART_CONTENT, part("a" * 100_000, b"x") + END),
    "long boundary": ("multipart/form-data; boundary=" + "b" * 10_000, b"x"),
}

# Content types that no parser takes, or takes for what the content is not.
ODD_TYPES = [
    "",
    "nonsense",
    "/",
    "text/plain",
    "text/html",
    "application/xml",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/json; charset=hex",
    "application/json; charset=base64",
    "application/json; charset=zlib",
    "application/json; charset=idna",
    "application/json; charset=undefined",
    "application/json; charset=unicode_escape",
    'application/json; charset="',
    "application/json;;;=;",
    "application/json" + ";a=b" * 5_000,
    "multipart/mixed; boundary=x",
    "multipart/form-data; boundary=x; charset=hex",
    "application/x-www-form-urlencoded; charset=hex",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=undefined",
    "\xff\xfe",
]

READS_A_BODY = ["POST auth-token", "PUT users/<>", "PATCH users/<>", "PUT attempts/<>/questions/<>"]
TAKES_NONE = ["POST exams/<>/attempts", "PUT attempts/<>/start", "PUT attempts/<>/heartbeat", "PUT attempts/<>/end"]


def test_every_writing_endpoint_is_here():
    assert {endpoint for endpoint in CALLS if not endpoint.startswith("GET ")} == {*READS_A_BODY, *TAKES_NONE}


@pytest.mark.parametrize("endpoint", READS_A_BODY)
def test_body_that_cannot_be_read(api, stage, endpoint):
    """400 on the whole."""
    method, path = endpoint.split()[0], stage.path(CALLS[endpoint].path)
    no_slips(
        {
            name: slip(send(api, method, path, content, content_type), (400,), {"non_field_errors"})
            for name, (content_type, content) in UNREADABLE.items()
        }
    )


@pytest.mark.parametrize("endpoint", READS_A_BODY)
def test_odd_body(api, stage, endpoint):
    method, path = endpoint.split()[0], stage.path(CALLS[endpoint].path)
    no_slips(
        {
            name: slip(send(api, method, path, content, content_type), (200, 400, 415))
            for name, (content_type, content) in ODD.items()
        }
    )


@pytest.mark.parametrize("endpoint", READS_A_BODY)
def test_odd_content_type(api, stage, endpoint):
    method, path = endpoint.split()[0], stage.path(CALLS[endpoint].path)
    no_slips({name: slip(send(api, method, path, b"a=b", name), (200, 400, 415)) for name in ODD_TYPES})
    for name in ("text/plain", "application/xml", "application/octet-stream", "nonsense"):
        assert slip(send(api, method, path, b"{}", name), (415,)) is None


def test_body_that_nobody_reads(api, stage):
    """What takes no body takes any: clients send `{}`, nothing, or what they like."""
    few = [UNREADABLE["half"], UNREADABLE["no boundary"], ("nonsense", b"\0")]
    all_of_them = [*UNREADABLE.values(), *ODD.values(), *((name, b"a=b") for name in ODD_TYPES)]
    found = {}
    for endpoint in CALLS.keys() - set(READS_A_BODY):
        method, path = endpoint.split()[0], stage.path(CALLS[endpoint].path)
        for content_type, content in all_of_them if endpoint == "PUT attempts/<>/heartbeat" else few:
            found[endpoint, content_type, content] = slip(send(api, method, path, content, content_type), (200, 201))
    no_slips(found)


def test_body_too_large(api, stage):
    """413 beyond the limit, by what the header says, so that nothing of it is read; 20 MiB for photos, 2 elsewhere."""
    found = {}
    for endpoint, call in CALLS.items():
        limit = (20 if endpoint.endswith(" users/<>") else 2) * 2**20
        for content_type in (JSON, FORM, MULTIPART_CONTENT):
            length = {"CONTENT_LENGTH": str(limit + 1)}
            response = send(api, endpoint.split()[0], stage.path(call.path), b"{}", content_type, **length)
            found[endpoint, content_type] = slip(response, (413,))
    no_slips(found)


def test_body_at_the_limit(api, stage):
    """Not one byte less is refused as too large."""
    for path, limit in ((SHEET, 2 * 2**20), (PROFILE, 20 * 2**20)):
        content = b"{}" + b" " * (limit - 2)
        assert slip(send(api, "PUT", stage.path(path), content), (200,)) is None
        assert slip(send(api, "PUT", stage.path(path), content + b" "), (413,)) is None


def wsgi(stage, method, path, content, **environ):
    """The status and the answer of the server's own entrance, where a test client would stand in for the socket."""
    told = {}
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"JWT {StudentToken.for_user(stage.asha)}",
        "CONTENT_TYPE": JSON,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | environ
    signals.request_started.disconnect(close_old_connections)  # it would end the test's transaction
    try:
        with transaction.atomic():
            response = application(environ, lambda status, headers: told.update(status=status, headers=dict(headers)))
            content = b"".join(response)
            transaction.set_rollback(True)
    finally:
        signals.request_started.connect(close_old_connections)
    assert told["headers"]["Content-Type"] == JSON
    return int(told["status"].split()[0]), json.loads(content)


def test_wrong_content_length(stage):
    """A length that is none counts as no body, a short one cuts, a long one ends with the connection."""
    found = {}
    for content_type in (JSON, FORM, MULTIPART_CONTENT):
        for length in ("", "-1", "x", "1.5", "0", "3", "1000", "9" * 30, "\xb2", "\xd9\xa3", " 19 "):
            environ = {"CONTENT_LENGTH": length, "CONTENT_TYPE": content_type}
            status, answer = wsgi(stage, "PUT", ROOT + stage.path(PROFILE), b'{"city": "Madurai"}', **environ)
            if status not in (200, 400, 413):
                found[content_type, length] = status, answer
    assert found == {}


def test_content_type_of_an_unknown_charset(stage):
    """Django itself stumbles over this one before any of its error handlers stands."""
    environ = {"CONTENT_LENGTH": "19", "CONTENT_TYPE": "application/json; a*=x'y'z"}

    status, _ = wsgi(stage, "PUT", ROOT + stage.path(PROFILE), b'{"city": "Madurai"}', **environ)

    assert status in (400, 415)


# --- Query parameters -------------------------------------------------------------------------------------------------

# As they stand in the address.
QUERIES = {
    "empty": "",
    "blank": "%20",
    "0": "0",
    "-1": "-1",
    "1.0": "1.0",
    "1e3": "1e3",
    "2**31": str(2**31),
    "2**63": str(2**63),
    "2**64": str(2**64),
    "-2**63-1": str(-(2**63) - 1),
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5_000,
    "NaN": "NaN",
    "inf": "inf",
    "NUL": "%00",
    "NUL inside": "a%00b",
    "invalid UTF-8": "%ff%fe",
    "surrogate": "%ed%a0%80",
    "superscript": "%c2%b2",
    "half an escape": "%",
    "other controls": "%01%1b%7f",
    "quotes": "%27%22--",
    "pattern": "%25_%5c",
    "1,001 characters": "x" * 1_001,
    "60,000 characters": "x" * 60_000,
    "60,000 per cents": "%25" * 60_000,
    "last": "last",
    "null": "null",
    "none": "None",
    "object": "%7B%22a%22%3A1%7D",
}
NULS = {"NUL", "NUL inside"}
FEW = ["empty", "NUL", "surrogate", "60,000 characters"]
EMPTY = {"empty"}
SPACES = {"empty", "blank"}

TEXT_PARAMETER = set(QUERIES) - NULS


# Path, parameters that get the same value, and what is fine for them.
PARAMETERS = [
    *((f"exams/{which}", ["course", "q"], TEXT_PARAMETER) for which in ("", "available/", "upcoming/", "history/")),
    ("attempts/", ["course", "q"], TEXT_PARAMETER),
    ("exams/", ["state"], EMPTY),
    ("attempts/{completed.pk}/review/", ["state"], EMPTY),
    ("products/", ["category"], TEXT_PARAMETER),
    ("posts/", ["category"], TEXT_PARAMETER),
    ("posts/", ["gt", "lt"], SPACES),
    ("posts/", ["order"], EMPTY),
    ("me/", ["course", "page", "format"], set(QUERIES)),
]


def test_parameters(api, stage):
    """A 400 names the parameters, unless the value is fine; what nobody has is an empty list."""
    found = {}
    for path, parameters, fine in PARAMETERS:
        # These three have the parameters from the list of all exams.
        names = FEW if path in ("exams/available/", "exams/upcoming/", "exams/history/") else QUERIES
        for name in names:
            value = QUERIES[name]
            query = stage.path(path) + "?" + "&".join(f"{parameter}={value}" for parameter in parameters)
            found[path, name] = slip(send(api, "GET", query), (200,) if name in fine else (400,), set(parameters))
    no_slips(found)


LISTS = [endpoint for endpoint in CALLS if endpoint.startswith("GET ")]
LISTS = [endpoint for endpoint in LISTS if endpoint != "GET me" and not endpoint.endswith("<>")]


def test_page(api, stage):
    """A page that does not exist is a 404 with these words, whatever it is called."""
    found = {}
    for endpoint in LISTS:
        for name, value in QUERIES.items():
            if endpoint in ("GET exams", "GET attempts/<>/questions") or name in ("0", "2**64", "5,000 digits", "last"):
                response = send(api, "GET", f"{stage.path(CALLS[endpoint].path)}?page={value}")
                found[endpoint, name] = slip(response, (200,) if name in EMPTY else (404,))
                if response.status_code == 404 and response.json() != {"detail": "Invalid page."}:
                    found[endpoint, name] = response.content
    no_slips(found)


def test_of_a_repeated_parameter_the_last_counts(api):
    queries = [
        ("exams/?state=nonsense&state=upcoming", 200),
        ("exams/?state=upcoming&state=nonsense", 400),
        ("exams/?q=%00&q=x", 200),
        ("exams/?q=x&q=%00", 400),
        ("exams/?page=9&page=1", 200),
        ("exams/?page=1&page=9", 404),
        ("posts/?gt=x&gt=2015-10-07", 200),
        ("posts/?gt=2015-10-07&gt=x", 400),
        ("posts/?order=x&order=-title", 200),
        ("posts/?order=-title&order=x", 400),
        ("exams/?" + "a=1&" * 100, 200),
    ]
    no_slips({query: slip(send(api, "GET", query), (status,)) for query, status in queries})


# --- Paths, methods, headers ------------------------------------------------------------------------------------------

ODD_PARTS = [
    "0",
    "-1",
    "1.5",
    "1e3",
    "999999999",
    str(2**31),
    str(10**18 - 1),
    str(10**18),
    str(2**63),
    str(2**64),
    "9" * 400,
    "9" * 5_000,
    "%D9%A1",
    "%C2%B2",
    "%00",
    "1%00",
    "%ff",
    "%ed%a0%80",
    "%2e%2e",
    "%2F",
    "%20",
    "%0a",
    "x",
    "x" * 1_000,
    "null",
    "%F0%9F%98%80",
    "'",
    "*",
    "1;2",
    "1,2",
]


def test_path_that_leads_nowhere(api, stage):
    """404 for each part that names nothing; all of them once for each place, a few for the others that share it."""
    found, tried = {}, set()
    for endpoint, call in CALLS.items():
        method, pattern = endpoint.split()
        real = stage.path(call.path).strip("/").split("/")
        for place, part_of_it in enumerate(pattern.split("/")):
            if part_of_it != "<>":
                continue
            before = tuple(pattern.split("/")[:place])
            for odd in ODD_PARTS[::6] if before in tried else ODD_PARTS:
                path = "/".join([*real[:place], odd, *real[place + 1 :]])
                found[method, path] = slip(send(api, method, path, b"{}"), (404,))
            tried.add(before)
    no_slips(found)


def test_method_that_is_not_there(api, stage):
    """405 with the methods that are; the answer to HEAD has no body."""
    methods = {}
    for endpoint in CALLS:
        method, pattern = endpoint.split()
        methods.setdefault(pattern, set()).add(method)
    found = {}
    for pattern, known in methods.items():
        path = stage.path(CALLS[f"{min(known)} {pattern}"].path)
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 1_000} - known:
            response = send(api, method, path, b"{}")
            found[method, path] = slip(response, (405,))
            if not known <= set(response.headers.get("Allow", "").split(", ")):
                found[method, path] = f"{response.status_code}, Allow: {response.headers.get('Allow')}"
        if send(api, "OPTIONS", path).status_code >= 500:
            found["OPTIONS", path] = "failed"
        if "GET" in known:
            head = send(api, "HEAD", path)
            assert (head.status_code, head.content) == (200, b"")
    no_slips(found)


def test_path_that_is_not_there(api):
    """404 as JSON, also below the API's root, also for a body that nobody would read."""
    paths = ["", "nothing", "exams/x/y/z", "users/", "%00", "%ff", "../../x", "//", "x" * 10_000]
    no_slips(
        {
            (method, path): slip(send(api, method, path, b"["), (404,))
            for path in paths
            for method in ("GET", "POST", "PUT", "DELETE")
        }
    )


def test_token_that_is_none(api):
    """401, with how to log in."""
    api.credentials()
    found = {}
    for token in [
        "",
        "JWT",
        "JWT ",
        "JWT a",
        "JWT a b",
        "JWT a.b.c",
        "JWT ..",
        "JWT eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoxfQ.",
        "JWT \xff\xfe",
        "JWT \0",
        "jwt x",
        "Bearer x",
        "Basic eDp5",
        "Token token=x",
        "x" * 10_000,
        "JWT " + "x." * 5_000,
        "\xff",
    ]:
        response = send(api, "GET", "me/", HTTP_AUTHORIZATION=token)
        found[token] = slip(response, (401,)) or (
            None if response.headers["WWW-Authenticate"].startswith("JWT") else "no WWW-Authenticate"
        )
    no_slips(found)


def test_odd_header(api):
    headers = [
        ("HTTP_ACCEPT", "text/html", (406,)),
        ("HTTP_ACCEPT", "application/xml", (406,)),
        ("HTTP_ACCEPT", "///", (200, 406)),
        ("HTTP_ACCEPT", ";q=", (200, 406)),
        ("HTTP_ACCEPT", "*/*;q=nonsense", (200, 406)),
        ("HTTP_ACCEPT", "\xff\0", (200, 406)),
        ("HTTP_ACCEPT", "a/b," * 5_000, (200, 406)),
        ("HTTP_ACCEPT", "", (200, 406)),
        ("HTTP_X_FORWARDED_PROTO", "nonsense", (200,)),
        ("HTTP_X_FORWARDED_FOR", "\xff,,nonsense", (200,)),
        ("HTTP_X_HTTP_METHOD_OVERRIDE", "DELETE", (200,)),
        ("HTTP_ACCEPT_LANGUAGE", "xx" * 1_000, (200,)),
        ("HTTP_ACCEPT_ENCODING", "nonsense", (200,)),
        ("HTTP_COOKIE", "sessionid=\xff; csrftoken=\0; =;;=", (200,)),
        ("HTTP_IF_MODIFIED_SINCE", "nonsense", (200,)),
        ("HTTP_RANGE", "bytes=x-", (200,)),
    ]
    no_slips(
        {
            (header, value): slip(send(api, "GET", "me/", **{header: value}), allowed)
            for header, value, allowed in headers
        }
    )


def test_host_that_is_not_served(api):
    for host in ("nobody.example", "\xff", "localhost:x", "a b", ""):
        response = send(api, "GET", "me/", HTTP_HOST=host)
        assert (response.status_code, response.json()) == (400, {"detail": "Bad request."})
