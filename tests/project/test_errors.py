"""Every error below /api/ is JSON, whatever refuses the request."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import RequestFactory
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.views import APIView

from testpress import exceptions
from tests.conftest import PASSWORD, Api

LOG_IN = "/api/v2.1/auth-token/"


@pytest.fixture
def raw(db):
    """Sends bytes as they are to the log-in, and returns the response."""

    def send(body, content_type="application/json", **extra):
        api = Api()
        return api.generic("POST", LOG_IN, body, content_type=content_type, **extra)

    return send


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v2.1/", "/api/v2.1/nothing", "/api/v2.1/nothing/", "/api/v1/me/", "/api/docs/more"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_unknown_path_is_a_404(path, method, db):
    assert Api().call(method, path, status=404) == {"detail": "Not found."}


def test_a_wrong_host_is_a_400(db):
    api = Api()

    assert api.get("me/", status=400, HTTP_HOST="evil.example.com") == {"detail": "Bad request."}
    assert api.response["Content-Type"] == "application/json"


def test_a_wrong_host_of_a_page_is_a_400_without_json(client, db):
    response = client.get("/", headers={"host": "evil.example.com"})

    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_a_wrong_method_is_a_405(asha):
    assert Api(asha).delete("me/", status=405) == {"detail": 'Method "DELETE" not allowed.'}


def test_an_accept_header_without_json_is_a_406(asha):
    answer = Api(asha).get("me/", status=406, HTTP_ACCEPT="application/xml")

    assert answer == {"detail": "Could not satisfy the request Accept header."}


def test_an_unknown_media_type_is_a_415(raw):
    response = raw(b"<username/>", content_type="application/xml")

    assert (response.status_code, list(response.json())) == (415, ["detail"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"username": "\xff"}',
        b'{"username": NaN}',
        b"[" * 100_000,
        b'{"username": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"username": 1' + b"0" * 5_000 + b"}",
    ],
    ids=["cut", "empty", "no UTF-8", "NaN", "deep and cut", "deep", "long number"],
)
def test_a_body_that_cannot_be_read_is_a_400(body, raw):
    response = raw(body)

    assert response.status_code == 400
    if body:
        assert list(response.json()) in (["non_field_errors"], ["username", "password"])


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null"])
def test_a_body_that_is_no_object_is_a_400(body, raw):
    response = raw(body)

    assert response.status_code == 400
    assert isinstance(response.json(), dict)


def test_a_broken_form_is_a_400(raw):
    response = raw(b"--x\r\n", content_type="multipart/form-data")

    assert (response.status_code, list(response.json())) == (400, ["non_field_errors"])


def test_a_form_of_too_many_fields_is_a_400(raw, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10

    response = raw(b"&".join(b"a%d=1" % n for n in range(20)), content_type="application/x-www-form-urlencoded")

    assert (response.status_code, list(response.json())) == (400, ["non_field_errors"])


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_over_2_mib_is_a_413(content_type, raw):
    response = raw(b"x" * (2 * 1024 * 1024 + 1), content_type=content_type)

    assert (response.status_code, response.json()) == (413, {"detail": "The request's body is too large."})


def test_a_body_of_2_mib_is_read(raw):
    body = b'{"username": "x", "password": ""}'.ljust(2 * 1024 * 1024)

    assert raw(body).status_code == 400


def test_a_length_that_is_no_number_is_not_the_servers_fault(raw):
    assert raw(b"{}", CONTENT_LENGTH="many").status_code == 400


def answer(error):
    """What the API answers when a view raises `error`."""

    class View(APIView):
        authentication_classes = permission_classes = ()

        def get(self, request):
            raise error

    response = View.as_view()(RequestFactory().get("/"))
    return response.status_code, response.data


class Closed(exceptions.RuleBroken):
    code = "closed"
    default_detail = "It is closed."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Closed(), (403, {"detail": "It is closed.", "code": "closed"})),
        (exceptions.NotAvailable(), (403, {"detail": "This is not available to you.", "code": "not_available"})),
        (NotFound(), (404, {"detail": "Not found."})),
        (ValidationError("Wrong."), (400, {"non_field_errors": ["Wrong."]})),
        (ValidationError({"page": ["Wrong."]}), (400, {"page": ["Wrong."]})),
        (
            ValidationError({"ids": {0: ["No number."], 7: ["No number.", "Odd."]}}),
            (400, {"ids": ["No number.", "Odd."]}),
        ),
        (exceptions.BodyTooLarge(), (413, {"detail": "The request's body is too large."})),
        (SuspiciousOperation("x"), (400, {"non_field_errors": ["The request's body cannot be read."]})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_becomes_its_answer(error, expected):
    assert answer(error) == expected


def test_a_fault_of_the_server_is_a_500_in_json(asha, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.views.MeView.get", fail)
    api = Api(asha)
    api.raise_request_exception = False

    assert api.get("me/", status=500) == {"detail": "The server failed. Try again."}


def test_the_log_in_still_works(raw, asha):
    """What the refusals above are measured against."""
    response = raw(b'{"username": "asha", "password": "%s"}' % PASSWORD.encode())

    assert (response.status_code, list(response.json())) == (200, ["token"])
