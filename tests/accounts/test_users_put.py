"""PUT and PATCH /api/v2.1/users/<id>/, without the photo."""

from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest

from accounts import photos
from accounts.middleware import institute_time_zone
from accounts.models import Batch, User
from accounts.serializers import ProfileSerializer
from tests.conftest import PASSWORD, Api, make_user

EMPTY = {
    "first_name": "",
    "last_name": "",
    "email": "",
    **dict.fromkeys(photos.FILES, ""),
    "x_offset": None,
    "y_offset": None,
    "crop_height": None,
    "crop_width": None,
    "birth_date": None,
    "gender": None,
    "address1": "",
    "address2": "",
    "city": "",
    "zip": "",
    "state_choices": None,
    "phone": "",
}
FULL = {
    "first_name": "John",
    "last_name": "Appleseed",
    "email": "john@example.com",
    "birth_date": "1994-08-27",
    "gender": 2,
    "address1": "12, Anna Salai",
    "address2": "Teynampet",
    "city": "Chennai",
    "zip": "600069",
    "state_choices": 31,
    "phone": "9043570576",
}
ASHA = EMPTY | {"first_name": "Asha", "last_name": "Rao", "email": "asha@example.com"}


def stored(user):
    """The user's row as it is now."""
    return User.objects.values().get(pk=user.pk)


def test_update_everything(put, asha):
    """A student should be allowed to change every field; the answer has the 21 keys in the document's order."""
    answer = put(FULL)

    assert answer == EMPTY | FULL
    assert list(answer) == list(EMPTY)
    assert len(answer) == 21
    asha.refresh_from_db()
    assert (asha.birth_date, asha.gender, asha.state, asha.phone) == (date(1994, 8, 27), 2, 31, "9043570576")


def test_update_document_request(put):
    """The document's own request should change the two names only."""
    answer = put('{\n    "first_name": "John",\n    "last_name": "Appleseed"\n}', content_type="application/json")
    assert answer == ASHA | {"first_name": "John", "last_name": "Appleseed"}


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("slash", ["/", ""])
def test_update_is_partial(asha, method, slash):
    """Fields left out should keep their value, by PUT as by PATCH, with and without the final slash."""
    answer = Api(asha).call(method, f"users/{asha.pk}{slash}", {"city": "Salem"})
    assert answer == ASHA | {"city": "Salem"}


def test_update_nothing(put, asha):
    """An empty body should change nothing, and answer the profile."""
    before = stored(asha)
    assert put({}) == ASHA
    assert put(None) == ASHA
    assert stored(asha) == before


@pytest.mark.parametrize("format", ["multipart", "urlencoded"])
def test_update_form(put, format):
    """A student should be allowed to send a form, where codes are digits."""
    if format == "multipart":
        answer = put(FULL, format="multipart")
    else:
        answer = put(urlencode(FULL), content_type="application/x-www-form-urlencoded")
    assert answer == EMPTY | FULL


def test_update_form_clears(put):
    """An empty form field should clear as "" does in JSON."""
    put(FULL)
    assert put(dict.fromkeys(FULL, ""), format="multipart") == EMPTY


@pytest.mark.parametrize("nothing", ["", None])
def test_update_clears(put, nothing):
    """A student should be allowed to clear every field by "" and by null."""
    put(FULL)
    assert put(dict.fromkeys(EMPTY, nothing)) == EMPTY


def test_update_echo(put):
    """A client that sends back what it has read should change nothing."""
    full = put(FULL)
    assert put(full) == full


def test_update_trims(put):
    """Blanks around a text should go."""
    assert put({"city": "  Salem "})["city"] == "Salem"


def test_update_forbidden_keys(put, asha):
    """Username, password, batches, rights and unknown keys should be ignored."""
    Batch.objects.create(name="ECE")
    before = stored(asha)
    answer = put(
        {
            "id": 99,
            "username": "root",
            "password": "x",
            "batches": ["ECE"],
            "is_staff": True,
            "is_superuser": True,
            "is_active": False,
            "groups": [1],
            "user_permissions": [1],
            "date_joined": "2020-01-01T00:00:00Z",
            "last_login": None,
            "state": 3,
            "display_name": "Root",
            "large_image": "http://localhost/x.jpeg",
            "unheard_of": {},
        }
    )
    assert answer == ASHA
    assert stored(asha) == before
    assert [batch.name for batch in asha.batches.all()] == ["EEE"]
    assert asha.check_password(PASSWORD)


# --- Wrong values ---

NO_TEXT = ["Not a valid string."]
NO_WHOLE = ["A valid integer is required."]
NO_DATE = ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]
NO_RANGE = ["This must lie between 1900 and today."]
TEXTS = ["first_name", "last_name", "email", "address1", "address2", "city", "zip", "phone"]


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [7, 1.5, True, [], ["x"], {}])
def test_update_text_type(put, asha, field, value):
    """What is no text should be refused, naming the field; nothing is saved."""
    before = stored(asha)
    expected = ["Enter a valid email address."] if field == "email" else NO_TEXT
    assert put({"city": "Salem", "first_name": "John", field: value}, status=400) == {field: expected}
    assert stored(asha) == before


@pytest.mark.parametrize("field", TEXTS)
def test_update_text_null_byte(put, field):
    """A NUL byte should be refused, naming the field."""
    errors = put({field: "a\0@example.com"}, status=400)
    assert list(errors) == [field]
    assert "Null characters are not allowed." in errors[field]


def test_update_text_surrogate(put):
    """A lone surrogate should be refused, naming the field."""
    errors = put('{"city": "\\udfff"}', status=400, content_type="application/json")
    assert errors == {"city": ["Surrogate characters are not allowed: U+DFFF."]}


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("first_name", 150),
        ("last_name", 150),
        ("address1", 255),
        ("address2", 255),
        ("city", 100),
        ("zip", 12),
        ("phone", 20),
    ],
)
def test_update_text_length(put, field, limit):
    """A text should be as long as its column at most."""
    assert put({field: "é" * limit})[field] == "é" * limit
    assert put({field: "é" * (limit + 1)}, status=400) == {
        field: [f"Ensure this field has no more than {limit} characters."]
    }


@pytest.mark.parametrize("email", ["asha", "asha@", "@example.com", "a b@example.com", "a@b", "a@example.com\nBcc: x"])
def test_update_email(put, email):
    """An e-mail address should be one."""
    assert put({"email": email}, status=400) == {"email": ["Enter a valid email address."]}


@pytest.mark.parametrize("field", ["gender", "state_choices"])
@pytest.mark.parametrize("value", ["2", "Female", 1.5, True, [], {}, [1]])
def test_update_code_type(put, field, value):
    """A code that is no JSON number should be refused, naming the field."""
    assert put({field: value}, status=400) == {field: NO_WHOLE}


@pytest.mark.parametrize(
    ("field", "code"), [("gender", 0), ("gender", 4), ("gender", -1), ("state_choices", 37), ("state_choices", 10**30)]
)
def test_update_code_unknown(put, field, code):
    """An unknown code should be refused, naming the field."""
    assert put({field: code}, status=400) == {field: [f'"{code}" is not a valid choice.']}


@pytest.mark.parametrize("value", ["x", "1.5", "-", "1e1", "True"])
def test_update_code_form(put, value):
    """A code in a form should be digits."""
    assert put({"gender": value}, format="multipart", status=400) == {"gender": NO_WHOLE}


def test_update_state_zero(put):
    """State 0, Others, should be told from none."""
    assert put({"state_choices": 0})["state_choices"] == 0


@pytest.mark.parametrize(
    "value", ["27-08-1994", "1994-13-01", "1994-02-30", "x", 19940827, True, [], {}, "1994-08-27T00:00:00Z"]
)
def test_update_birth_date_format(put, value):
    """A birth date should be an ISO date."""
    assert put({"birth_date": value}, status=400) == {"birth_date": NO_DATE}


@pytest.mark.parametrize("value", ["0001-01-01", "1899-12-31", "2999-01-01", "9999-12-31"])
def test_update_birth_date_range(put, value):
    """A birth date should lie between 1900 and today."""
    assert put({"birth_date": value}, status=400) == {"birth_date": NO_RANGE}


def test_update_birth_date_today(asha, at):
    """Today should be the institute's: at 19:00 UTC it is tomorrow in Kolkata already."""
    at(datetime(2026, 3, 2, 19, 0, tzinfo=UTC))
    api = Api(asha)
    assert api.put(f"users/{asha.pk}/", {"birth_date": "2026-03-03"})["birth_date"] == "2026-03-03"
    assert api.put(f"users/{asha.pk}/", {"birth_date": "2026-03-04"}, status=400) == {"birth_date": NO_RANGE}


CROP = ["x_offset", "y_offset", "crop_width", "crop_height"]


@pytest.mark.parametrize("field", CROP)
@pytest.mark.parametrize("value", ["5", "x", 1.5, True, [], {}, float("1e300") + 0.0])
def test_update_crop_type(put, field, value):
    """A crop value that is no whole number should be refused, naming the field."""
    errors = put({field: value}, status=400)
    assert list(errors) == [field]


@pytest.mark.parametrize(("field", "value"), [*((field, -1) for field in CROP), ("crop_width", 0), ("crop_height", 0)])
def test_update_crop_too_small(put, field, value):
    """An offset below 0 and an empty box should be refused, naming the field."""
    errors = put({field: value}, status=400)
    assert list(errors) == [field]


@pytest.mark.parametrize("field", CROP)
def test_update_crop_too_great(put, field):
    """A crop value beyond any photo should be refused, naming the field."""
    assert put({field: 10**20}, status=400) == {field: ["Ensure this value is less than or equal to 25000000."]}


def test_update_several_errors(put):
    """All wrong fields should be named at once."""
    assert put({"gender": 9, "email": "x", "city": 1}, status=400) == {
        "gender": ['"9" is not a valid choice.'],
        "email": ["Enter a valid email address."],
        "city": NO_TEXT,
    }


@pytest.mark.parametrize(
    "body", ["[]", '"x"', "{", "[" * 100_000, '{"gender": NaN}', '{"x_offset": ' + "9" * 5000 + "}"]
)
def test_update_unreadable(put, body):
    """A body that is no JSON object should be a 400 on non_field_errors."""
    assert list(put(body, status=400, content_type="application/json")) == ["non_field_errors"]


def test_update_unsupported_type(put):
    """A body of another media type should be a 415."""
    answer = put("<x/>", status=415, content_type="text/xml")
    assert answer == {"detail": 'Unsupported media type "text/xml" in request.'}


def test_update_too_large(put):
    """A body over 20 MiB should be a 413."""
    answer = put({"photo": "x" * 20 * 2**20}, status=413)
    assert answer == {"detail": "The request's body is too large."}


# --- Who ---


@pytest.mark.parametrize("method", ["put", "patch"])
def test_update_of_another(asha, balu, admin, method):
    """Nobody should be allowed to change another, not even staff."""
    for user in (asha, admin):
        answer = Api(user).call(method, f"users/{balu.pk}/", {"city": "Salem"}, status=403)
        assert answer == {"detail": "You can change your own profile only."}
    balu.refresh_from_db()
    assert balu.city == ""


def test_update_unknown(asha):
    """A user who does not exist should be a 404."""
    answer = Api(asha).put("users/999999/", {"city": "Salem"}, status=404)
    assert answer == {"detail": "Not found."}


def test_update_anonymous(asha):
    """Nobody should change anything without a token."""
    answer = Api().put(f"users/{asha.pk}/", {"city": "Salem"}, status=401)
    assert answer == {"detail": "Authentication credentials were not provided."}


# --- Saving ---


def test_update_keeps_parallel_changes(asha, rf):
    """Two updates that were read at the same moment should both stay, if they change other fields."""
    first, second = User.objects.get(pk=asha.pk), User.objects.get(pk=asha.pk)
    context = {"request": rf.get("/")}
    for user, fields in ((first, {"city": "Salem"}), (second, {"phone": "123"})):
        serializer = ProfileSerializer(user, data=fields, partial=True, context=context)
        assert serializer.is_valid()
        serializer.save()
    asha.refresh_from_db()
    assert (asha.city, asha.phone) == ("Salem", "123")
    # The second answer shows the first change, too.
    assert serializer.data["city"] == "Salem"


def test_update_statements(asha, statements):
    """An update should cost: the token's user, the locked row, the row's update."""
    api = Api(asha)
    institute_time_zone()
    with statements(3):
        api.put(f"users/{asha.pk}/", FULL)


def test_update_keeps_token(put, asha):
    """A changed profile should end no log-in."""
    put({"email": "new@example.com"})
    put({"city": "Salem"})


def test_update_same_email(put, asha):
    """Two students should be allowed to share an address, as siblings do."""
    make_user("esha")
    assert put({"email": "esha@example.com"})["email"] == "esha@example.com"
