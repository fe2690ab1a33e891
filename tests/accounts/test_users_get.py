"""GET /api/v2.1/users/<id>/"""

import pytest

from accounts import photos
from accounts.middleware import institute_time_zone
from tests.conftest import Api


def test_user_of_another(asha, balu):
    """A student should read exactly the 12 public fields of another."""
    balu.phone, balu.city, balu.gender = "9043570576", "Chennai", 1
    balu.photo = "i/1.jpeg"
    balu.save()

    answer = Api(asha).get(f"users/{balu.pk}/")

    expected = {
        "id": balu.pk,
        "url": f"http://localhost/api/v2.1/users/{balu.pk}/",
        "username": "balu",
        "display_name": "Balu",
        "first_name": "Balu",
        "last_name": "",
        **dict.fromkeys(photos.FILES, ""),
        "photo": "http://localhost/media/i/1.jpeg",
    }
    assert answer == expected
    assert list(answer) == list(expected)
    assert len(answer) == 12


def test_user_of_another_by_staff(asha, admin):
    """Staff should read no more of a student here than students do."""
    assert len(Api(admin).get(f"users/{asha.pk}/")) == 12


def test_user_oneself(asha):
    """A student should read the same of themselves as in me/."""
    api = Api(asha)
    assert api.get(f"users/{asha.pk}/") == api.get("me/")


def test_user_behind_tls_proxy(asha, settings):
    """URLs should name the scheme that the proxy was addressed by, where it is trusted."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = Api(asha).get("me/", HTTP_X_FORWARDED_PROTO="https")
    assert answer["url"] == f"https://localhost/api/v2.1/users/{asha.pk}/"


def test_user_without_slash(asha, balu):
    """The path without its final slash should answer the same, without a redirect."""
    api = Api(asha)
    assert api.get(f"users/{balu.pk}") == api.get(f"users/{balu.pk}/")


def test_user_statements_another(asha, balu, statements):
    """Reading another should cost: the token's user, the other."""
    api = Api(asha)
    institute_time_zone()
    with statements(2):
        api.get(f"users/{balu.pk}/")


def test_user_statements_oneself(asha, statements):
    """Reading oneself should cost: the token's user, their batches."""
    api = Api(asha)
    institute_time_zone()
    with statements(2):
        api.get(f"users/{asha.pk}/")


@pytest.mark.parametrize("pk", ["0", "999999", "9" * 18])
def test_user_unknown(asha, pk):
    """A user who does not exist should be a 404."""
    assert Api(asha).get(f"users/{pk}/", status=404) == {"detail": "Not found."}


@pytest.mark.parametrize("path", ["users/", "users", "users/x/", "users/-1/", f"users/{'9' * 19}/", "users/1.0/"])
def test_user_no_such_path(asha, path):
    """There should be no list of users, and no user without a number."""
    assert Api(asha).get(path, status=404) == {"detail": "Not found."}


def test_user_anonymous(asha):
    """Nobody should read anything without a token, nor learn who exists."""
    for pk in (asha.pk, 999_999):
        assert Api().get(f"users/{pk}/", status=401) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("method", ["post", "delete"])
def test_user_method(asha, method):
    """A user should not be made or deleted here."""
    answer = Api(asha).call(method, f"users/{asha.pk}/", status=405)
    assert answer == {"detail": f'Method "{method.upper()}" not allowed.'}
