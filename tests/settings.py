"""The project's settings with what the tests need: other databases, a quick password hash, files in a scratch place.

`TEST_DATABASE_URL` (a PostgreSQL) and `TEST_REDIS_URL` run the same tests on those. All else that the environment says
about the server is put aside: the tests are about the defaults.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

_UNSET = """DEBUG ALLOWED_HOSTS HOST PORT WEB_CONCURRENCY HTTPS TRUST_PROXY DEMO TOKEN_LIFETIME MEDIA_ROOT PRIVATE_ROOT
AWS_STORAGE_BUCKET_NAME AWS_S3_ENDPOINT_URL AWS_S3_CUSTOM_DOMAIN AWS_S3_REGION_NAME
AWS_PRIVATE_BUCKET_NAME ATTACHMENT_LIMIT CREDENTIAL_KEYS""".split()


def _own_redis():
    """The Redis, and of its databases one for each test process: they empty theirs before each test."""
    if not (url := os.environ.get("TEST_REDIS_URL", "")):
        return ""
    first = int(urlsplit(url).path.strip("/") or 0)
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return urlsplit(url)._replace(path=f"/{first + process}").geturl()


os.environ.update(
    dict.fromkeys(_UNSET, ""),
    SECRET_KEY="only-for-the-tests-" + "x" * 32,
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite:///:memory:"),
    REDIS_URL=_own_redis(),
)

# The environment had to be set before these.
from testpress.settings import *  # noqa: E402, F403
from testpress.settings import DATABASES, STORAGES  # noqa: E402

_scratch = Path(tempfile.mkdtemp(prefix="tests-"))
_owner = os.getpid()


@atexit.register
def _clean_up():
    if os.getpid() == _owner:  # not in a process that a test has forked
        shutil.rmtree(_scratch, ignore_errors=True)


MEDIA_ROOT = _scratch / "media"
PRIVATE_ROOT = _scratch / "private"
STATIC_ROOT = _scratch / "static"
STATIC_ROOT.mkdir()  # WhiteNoise warns where there is none
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: tests with several threads need connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": str(_scratch / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"
else:
    # Each test thread opens a connection of its own; the pool would outlive the test database.
    DATABASES["default"]["OPTIONS"].pop("pool")
