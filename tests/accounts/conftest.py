"""What the tests of accounts share: pictures, and a place of their own for files."""

from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from tests.conftest import Api

PASSWORD_WORDS = {"non_field_errors": ["Unable to log in with these credentials."]}


def picture(size=(300, 200), colour="red", *, format="JPEG", mode="RGB", halves=None, **options):
    """An image file's bytes; `halves` paints the right half in another colour."""
    image = Image.new(mode, size, colour)
    if halves:
        image.paste(halves, (size[0] // 2, 0, *size))
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def stored(name):
    """The stored image file of that name, decoded."""
    with default_storage.open(name) as file:
        image = Image.open(BytesIO(file.read()))
    image.load()
    return image


def stored_files():
    """The names of all stored photos."""
    return {f"i/{name}" for name in default_storage.listdir("i")[1]} if default_storage.exists("i") else set()


@pytest.fixture
def media(settings, tmp_path):
    """An empty place for public files."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def put(asha, media, django_capture_on_commit_callbacks):
    """Changes asha's own profile, as `put({...})`, with what follows the commit."""
    api = Api(asha)

    def put(data, **kwargs):
        with django_capture_on_commit_callbacks(execute=True):
            return api.put(f"users/{asha.pk}/", data, **kwargs)

    return put
