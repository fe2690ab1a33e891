"""The private storage: files that are given only to who may have them."""

import os

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages

# Below PRIVATE_ROOT: what is still arriving, also where the private storage is a bucket.
INCOMING = "incoming"


class PrivateStorage(FileSystemStorage):
    """Files below PRIVATE_ROOT, readable by the server's own user only. They have no address."""

    def __init__(self, **options):
        super().__init__(file_permissions_mode=0o600, directory_permissions_mode=0o700, **options)

    @property
    def base_location(self):
        return settings.PRIVATE_ROOT

    @property
    def location(self):
        return os.path.abspath(self.base_location)

    def url(self, name):
        # The base class would make up one below MEDIA_URL.
        raise ValueError("A private file has no address of its own.")


def private_storage():
    """The storage of private files, for file fields: migrations then name this function, not what it found."""
    return storages["private"]
