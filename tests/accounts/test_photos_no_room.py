"""A photo that cannot be stored: the disk is full, or may only be read."""

import base64
import errno
import os

import pytest
from django.core.files.storage import FileSystemStorage

from accounts.models import User
from tests.accounts.conftest import picture, stored_files
from tests.conftest import Api

NO_ROOM = {"detail": "Files cannot be stored at the moment. Try again later."}


def photo(colour):
    return base64.b64encode(picture(colour=colour)).decode()


class FullStorage(FileSystemStorage):
    """Three files fit on it; of the next only the beginning is written."""

    room = 3
    error = errno.ENOSPC

    def _save(self, name, content):
        if self.room:
            self.room -= 1
            return super()._save(name, content)
        with open(self.path(name), "wb") as file:
            file.write(content.read(100))
        raise OSError(self.error, os.strerror(self.error))


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_photo_without_room_is_a_503_and_changes_nothing(error, put, asha, settings, monkeypatch):
    """The photo from before should stay, and nothing of the new one."""
    put({"photo": photo("red")})
    before, files = User.objects.values().get(pk=asha.pk), stored_files()
    monkeypatch.setattr(FullStorage, "error", error)
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": f"{__name__}.FullStorage"}}

    api = Api(asha)
    answer = api.put(f"users/{asha.pk}/", {"photo": photo("blue"), "city": "Madurai"}, status=503)

    assert answer == NO_ROOM
    assert api.response["Retry-After"] == "60"
    assert User.objects.values().get(pk=asha.pk) == before
    assert stored_files() == files
    assert len(files) == 6


def test_another_failure_of_a_file_is_not_taken_for_it(asha, media):
    """A folder that is a file is a mistake of the operator's: a 500, which is reported."""
    (media / "i").write_text("")

    with pytest.raises(FileExistsError):
        Api(asha).put(f"users/{asha.pk}/", {"photo": photo("red")}, status=503)
