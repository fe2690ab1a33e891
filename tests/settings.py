"""The project's settings with what the tests need: other databases, a quick password hash, files in a scratch place.

`TEST_DATABASE_URL` (a PostgreSQL) and `TEST_REDIS_URL` run the same tests on those.
"""

import os
import tempfile
from pathlib import Path

os.environ.update(
    SECRET_KEY="only-for-the-tests-" + "x" * 32,
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite:///:memory:"),
    REDIS_URL=os.environ.get("TEST_REDIS_URL", ""),
)

from testpress.settings import *  # noqa: E402, F403
from testpress.settings import DATABASES, STORAGES  # noqa: E402

_scratch = Path(tempfile.mkdtemp(prefix="tests-"))
MEDIA_ROOT = _scratch / "media"
PRIVATE_ROOT = _scratch / "private"
STATIC_ROOT = _scratch / "static"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: tests with several threads need connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": str(_scratch / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"
else:
    # Each test thread opens a connection of its own; the pool would outlive the test database.
    DATABASES["default"]["OPTIONS"].pop("pool")
