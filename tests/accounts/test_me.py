"""GET /api/v2.1/me/"""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import photos
from accounts.middleware import institute_time_zone
from accounts.models import Batch, Gender, State
from tests.accounts.conftest import picture
from tests.conftest import Api, make_user

ROOT = "http://localhost/api/v2.1"
NO_IMAGES = dict.fromkeys(photos.FILES, "")


def test_me_complete(asha, put):
    """A student should read all 22 fields of themselves, in the document's order."""
    asha.batches.add(Batch.objects.create(name="ECE"))
    put({"photo": SimpleUploadedFile("me.jpg", picture())}, format="multipart")
    put(
        {
            "birth_date": "1994-08-27",
            "gender": Gender.FEMALE,
            "address1": "12, Anna Salai",
            "address2": "Teynampet",
            "city": "Chennai",
            "zip": "600069",
            "state_choices": State.TAMIL_NADU,
            "phone": "9043570576",
        }
    )
    asha.refresh_from_db()
    images = {column: f"http://localhost/media/{name}" for column, name in photos.file_names(asha).items()}

    answer = Api(asha).get("me/")

    expected = {
        "id": asha.pk,
        "batches": ["ECE", "EEE"],
        "url": f"{ROOT}/users/{asha.pk}/",
        "username": "asha",
        "display_name": "Asha Rao",
        "first_name": "Asha",
        "last_name": "Rao",
        "email": "asha@example.com",
        **images,
        "birth_date": "1994-08-27",
        "gender": "Female",
        "address1": "12, Anna Salai",
        "address2": "Teynampet",
        "city": "Chennai",
        "zip": "600069",
        "state": "Tamil Nadu",
        "phone": "9043570576",
    }
    assert answer == expected
    assert list(answer) == list(expected)
    assert len(answer) == 22


def test_me_empty(db):
    """A student without any data should read null for birth date and gender, and "" elsewhere."""
    user = make_user("esha")
    user.email = ""
    user.save()
    assert Api(user).get("me/") == {
        "id": user.pk,
        "batches": [],
        "url": f"{ROOT}/users/{user.pk}/",
        "username": "esha",
        "display_name": "esha",
        "first_name": "",
        "last_name": "",
        "email": "",
        **NO_IMAGES,
        "birth_date": None,
        "gender": None,
        "address1": "",
        "address2": "",
        "city": "",
        "zip": "",
        "state": "",
        "phone": "",
    }


@pytest.mark.parametrize(("code", "label"), [(1, "Male"), (2, "Female"), (3, "Transgender")])
def test_me_gender(asha, code, label):
    """A gender should read as its label."""
    asha.gender = code
    asha.save()
    assert Api(asha).get("me/")["gender"] == label


@pytest.mark.parametrize(("code", "name"), [(0, "Others"), (26, "Odisha"), (36, "Telengana")])
def test_me_state(asha, code, name):
    """A state should read as its name, also the one of code 0."""
    asha.state = code
    asha.save()
    assert Api(asha).get("me/")["state"] == name


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("Asha", "Rao", "Asha Rao"), ("Asha", "", "Asha"), ("", "Rao", "Rao"), ("", "", "asha")],
)
def test_me_display_name(asha, first, last, shown):
    """The display name should be made of the names that are there, or else be the username."""
    asha.first_name, asha.last_name = first, last
    asha.save()
    assert Api(asha).get("me/")["display_name"] == shown


def test_me_old_birth_date(asha):
    """A year of fewer than four digits' worth should still be written with four."""
    asha.birth_date = date(1901, 2, 3)
    asha.save()
    assert Api(asha).get("me/")["birth_date"] == "1901-02-03"


def test_me_without_slash(asha):
    """The path without its final slash should answer the same, without a redirect."""
    api = Api(asha)
    assert api.get("me") == api.get("me/")


@pytest.mark.parametrize("batches", [[], ["A"], ["A", "B", "C"]])
def test_me_statements(db, batches, statements):
    """Reading oneself should cost: the token's user, their batches."""
    api = Api(make_user("esha", batches=batches))
    institute_time_zone()
    with statements(2):
        assert api.get("me/")["batches"] == batches


def test_me_anonymous(db):
    """Nobody should read anything without a token."""
    assert Api().get("me/", status=401) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_me_method(asha, method):
    """Only GET should be answered; changes go to users/<id>/."""
    answer = Api(asha).call(method, "me/", status=405)
    assert answer == {"detail": f'Method "{method.upper()}" not allowed.'}
