"""POST /api/v2.1/auth-token/, and what its token opens."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone

from accounts.middleware import institute_time_zone
from accounts.models import LoginFailure
from accounts.tokens import StudentToken
from tests.accounts.conftest import PASSWORD_WORDS
from tests.conftest import NOW, PASSWORD, Api, make_user

CREDENTIALS = {"username": "asha", "password": PASSWORD}


def payload(token):
    return jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"], options={"verify_exp": False})


# --- The answer ---


def test_auth_token_payload(asha, at):
    """A token should be HS256, live 30 days, and name its user by username, integer id and e-mail."""
    at(NOW)
    api = Api()

    answer = api.post("auth-token/", CREDENTIALS)

    assert list(answer) == ["token"]
    assert jwt.get_unverified_header(answer["token"])["alg"] == "HS256"
    claims = payload(answer["token"])
    assert {name: claims[name] for name in ("username", "user_id", "email", "exp")} == {
        "username": "asha",
        "user_id": asha.pk,
        "email": "asha@example.com",
        "exp": int((NOW + timedelta(days=30)).timestamp()),
    }
    assert type(claims["user_id"]) is int
    assert type(claims["exp"]) is int
    assert api.response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["auth-token/", "auth-token"])
@pytest.mark.parametrize("content_type", ["json", "multipart"])
def test_auth_token_formats(asha, path, content_type):
    """A student should be allowed to log in by JSON and multipart, with and without the final slash."""
    assert payload(Api().post(path, CREDENTIALS, format=content_type)["token"])["user_id"] == asha.pk


def test_auth_token_url_encoded(asha):
    """A student should be allowed to log in by a plain form."""
    body = "username=asha&password=open+sesame+42"
    answer = Api().post("auth-token/", body, content_type="application/x-www-form-urlencoded")
    assert payload(answer["token"])["user_id"] == asha.pk


@pytest.mark.parametrize("username", ["ASHA", "Asha", " asha ", "ａｓｈａ"])
def test_auth_token_username_spelling(asha, username):
    """A student should be allowed to log in whatever the case of the username's letters."""
    answer = Api().post("auth-token/", {"username": username, "password": PASSWORD})
    assert payload(answer["token"])["username"] == "asha"


def test_auth_token_ignores_old_token(asha):
    """A client with an expired token in its header should be allowed to log in."""
    Api().post("auth-token/", CREDENTIALS, HTTP_AUTHORIZATION="JWT gone")


def test_auth_token_last_login(asha, at):
    """A log-in should be noted with its time."""
    at(NOW)
    Api().post("auth-token/", CREDENTIALS)
    asha.refresh_from_db()
    assert asha.last_login == NOW


def test_auth_token_statements(asha, statements):
    """A log-in should cost: waits anybody, the user, does anybody wait now, last_login."""
    institute_time_zone()
    with statements(4):
        Api().post("auth-token/", CREDENTIALS)


# --- Refusals ---


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "asha", "password": "wrong"},
        {"username": "asha", "password": PASSWORD + " "},
        {"username": "asha", "password": PASSWORD.upper()},
        {"username": "nobody", "password": PASSWORD},
        {"username": "gone", "password": PASSWORD},
        {"username": "gone", "password": "wrong"},
        {"username": "as%", "password": PASSWORD},
    ],
)
def test_auth_token_wrong(asha, credentials):
    """A wrong password, an unknown user and an inactive one should get the same words."""
    make_user("gone", is_active=False)
    assert Api().post("auth-token/", credentials, status=400) == PASSWORD_WORDS
    assert LoginFailure.objects.count() == 1


@pytest.mark.parametrize("username", ["asha", "nobody", "gone"])
def test_auth_token_wrong_hashes_once(asha, username, monkeypatch):
    """Every wrong log-in should hash once, so that its time tells nothing."""
    make_user("gone", is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *args: hashed.append(args[0]) or encode(self, *args))
    Api().post("auth-token/", {"username": username, "password": "wrong"}, status=400)
    assert hashed == ["wrong"]


REQUIRED, BLANK, NULL = ["This field is required."], ["This field may not be blank."], ["This field may not be null."]
NO_TEXT = ["Not a valid string."]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"username": REQUIRED, "password": REQUIRED}),
        ({"username": "asha"}, {"password": REQUIRED}),
        ({"username": "", "password": ""}, {"username": BLANK, "password": BLANK}),
        ({"username": "  ", "password": "x"}, {"username": BLANK}),
        ({"username": None, "password": None}, {"username": NULL, "password": NULL}),
        ({"username": 17, "password": 17}, {"username": NO_TEXT, "password": NO_TEXT}),
        ({"username": True, "password": ["x"]}, {"username": NO_TEXT, "password": NO_TEXT}),
        ({"username": {}, "password": 1.5}, {"username": NO_TEXT, "password": NO_TEXT}),
        ({"username": "as\0ha", "password": "x"}, {"username": ["Null characters are not allowed."]}),
        ({"username": "asha", "password": "x\0"}, {"password": ["Null characters are not allowed."]}),
        (
            {"username": "a" * 151, "password": "x"},
            {"username": ["Ensure this field has no more than 150 characters."]},
        ),
        (
            {"username": "asha", "password": "x" * 4097},
            {"password": ["Ensure this field has no more than 4096 characters."]},
        ),
    ],
)
def test_auth_token_malformed(db, body, errors):
    """A missing, blank, overlong or wrong-typed field should be named, and count as no failure."""
    assert Api().post("auth-token/", body, status=400) == errors
    assert LoginFailure.objects.count() == 0


def test_auth_token_surrogate(db):
    """A lone surrogate, which no database stores, should be named."""
    body = '{"username": "\\ud800", "password": "x"}'
    answer = Api().post("auth-token/", body, status=400, content_type="application/json")
    assert answer == {"username": ["Surrogate characters are not allowed: U+D800."]}


@pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "{", "\xff", "[" * 100_000])
def test_auth_token_unreadable(db, body):
    """A body that is no JSON object should be a 400 on non_field_errors."""
    answer = Api().post("auth-token/", body.encode("latin-1"), status=400, content_type="application/json")
    assert list(answer) == ["non_field_errors"]


def test_auth_token_unsupported_type(db):
    """A body of another media type should be a 415."""
    answer = Api().post("auth-token/", "<x/>", status=415, content_type="text/xml")
    assert answer == {"detail": 'Unsupported media type "text/xml" in request.'}


def test_auth_token_too_large(db):
    """A body over 2 MiB should be a 413."""
    answer = Api().post("auth-token/", {"username": "asha", "password": "x" * 2**21}, status=413)
    assert answer == {"detail": "The request's body is too large."}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_auth_token_method(db, method):
    """Only POST should be answered."""
    answer = Api().call(method, "auth-token/", status=405)
    assert answer == {"detail": f'Method "{method.upper()}" not allowed.'}


# --- What the token opens ---


def test_token_opens(asha):
    """A student should be allowed in with the token from a log-in."""
    api = Api()
    token = api.post("auth-token/", CREDENTIALS)["token"]
    assert api.get("me/", HTTP_AUTHORIZATION=f"JWT {token}")["id"] == asha.pk


def refused(header):
    """Whether the header is answered with the 401 of the contract."""
    api = Api()
    extra = {} if header is None else {"HTTP_AUTHORIZATION": header}
    answer = api.get("me/", status=401, **extra)
    return list(answer) == ["detail"] and api.response["WWW-Authenticate"].startswith("JWT ")


def signed(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, settings.SECRET_KEY if key is None else key, algorithm=algorithm)


@pytest.mark.parametrize(
    "form", ["JWT", "JWT ", "JWT {0} {0}", "Bearer {0}", "Token {0}", "{0}", "JWT{0}", "", "JWT é"]
)
def test_token_malformed_header(asha, form):
    """A header of another form should be a 401."""
    assert refused(form.format(StudentToken.for_user(asha)))


def test_token_missing(db):
    """A request without a token should be a 401."""
    assert refused(None)


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "x" * 10_000, "eyJhbGciOiJIUzI1NiJ9.e30."])
def test_token_nonsense(db, token):
    """What is no token should be a 401."""
    assert refused(f"JWT {token}")


def test_token_expires(asha, at):
    """A token should open for 30 days, and not a second longer."""
    at(NOW)
    token = StudentToken.for_user(asha)
    at(NOW + timedelta(days=30, seconds=-1))
    Api().get("me/", HTTP_AUTHORIZATION=f"JWT {token}")
    at(NOW + timedelta(days=30))
    assert refused(f"JWT {token}")


def test_token_tampered(asha, balu):
    """A token whose payload was changed should be a 401."""
    header, body, signature = str(StudentToken.for_user(asha)).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | {"user_id": balu.pk}
    other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert refused(f"JWT {header}.{other}.{signature}")


def test_token_unsigned(asha):
    """A token of algorithm `none` should be a 401."""
    claims = payload(str(StudentToken.for_user(asha)))
    assert refused(f"JWT {signed(claims, '', 'none')}")


@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_token_other_algorithm(asha):
    """A token of another algorithm should be a 401, even under the right key."""
    claims = payload(str(StudentToken.for_user(asha)))
    assert refused(f"JWT {signed(claims, algorithm='HS512')}")


def test_token_other_key(asha):
    """A token under another secret key should be a 401."""
    claims = payload(str(StudentToken.for_user(asha)))
    assert refused(f"JWT {signed(claims, 'another-secret-key-' * 3)}")


@pytest.mark.parametrize("claim", ["exp", "jti", "token_type", "user_id", "key"])
def test_token_claim_missing(asha, claim):
    """A token without one of its claims should be a 401."""
    claims = payload(str(StudentToken.for_user(asha)))
    del claims[claim]
    assert refused(f"JWT {signed(claims)}")


def test_token_user_deactivated(asha):
    """A token should stop at once when its user is deactivated."""
    token = StudentToken.for_user(asha)
    asha.is_active = False
    asha.save()
    assert refused(f"JWT {token}")


def test_token_password_changed(asha):
    """A token should stop at once when its user has another password; a new log-in should open again."""
    token = StudentToken.for_user(asha)
    asha.set_password("quite another 43")
    asha.save()
    assert refused(f"JWT {token}")
    new = Api().post("auth-token/", {"username": "asha", "password": "quite another 43"})["token"]
    Api().get("me/", HTTP_AUTHORIZATION=f"JWT {new}")


def test_token_user_deleted(asha):
    """A token of a user who is gone should be a 401."""
    token = StudentToken.for_user(asha)
    asha.delete()
    assert refused(f"JWT {token}")


def test_token_before_body(asha):
    """Who sends no token should learn that first, whatever the path holds and the body is."""
    answer = Api().put(f"users/{asha.pk}/", "{", status=401, content_type="application/json")
    assert answer == {"detail": "Authentication credentials were not provided."}


def test_token_lifetime_is_from_now(asha):
    """A token should be dated by the clock of its making."""
    expiry = datetime.fromtimestamp(payload(str(StudentToken.for_user(asha)))["exp"], UTC)
    assert abs(expiry - timezone.now() - timedelta(days=30)) < timedelta(seconds=10)
