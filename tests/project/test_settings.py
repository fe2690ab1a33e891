"""Every variable of the configuration is obeyed, and a wrong value stops the start with one sentence that names it."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from testpress import environment
from tests.project.server import ROOT, manage

WRONG = {
    "SECRET_KEY": "short",
    "DEBUG": "true",
    "ALLOWED_HOSTS": "https://exams.example.com",
    "DATABASE_URL": "mysql://localhost/exams",
    "REDIS_URL": "localhost:6379",
    "HOST": "300.1.2.3",
    "PORT": "http",
    "WEB_CONCURRENCY": "0",
    "HTTPS": "yes",
    "TOKEN_LIFETIME": "forever",
    "TRUST_PROXY": "on",
    "DEMO": "maybe",
    "AWS_STORAGE_BUCKET_NAME": "s3://bucket",
    "AWS_S3_ENDPOINT_URL": "minio:9000",
    "AWS_S3_CUSTOM_DOMAIN": "https://media.example.com",
    "AWS_PRIVATE_BUCKET_NAME": "s3://bucket",
    "ATTACHMENT_LIMIT": "100 MiB",
    "CREDENTIAL_KEYS": "short",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(name, tmp_path):
    done = manage("check", folder=tmp_path, **{name: WRONG[name]})

    assert done.returncode == 1
    assert done.stderr.startswith(f"configuration: {name} ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_folders_that_cannot_be_ones_stop_the_start(tmp_path):
    (tmp_path / "file").touch()

    done = manage("check", folder=tmp_path, MEDIA_ROOT=f"{tmp_path}/file/a", PRIVATE_ROOT=f"{tmp_path}/file/b")

    assert done.returncode == 1
    assert "(files.E002) MEDIA_ROOT: " in done.stderr
    assert "(files.E002) PRIVATE_ROOT: " in done.stderr
    assert "Traceback" not in done.stderr


def test_private_files_below_the_public_ones_stop_the_start(tmp_path):
    done = manage("check", folder=tmp_path, PRIVATE_ROOT=f"{tmp_path}/media/private")

    assert done.returncode == 1
    assert "(files.E001) MEDIA_ROOT and PRIVATE_ROOT must lie apart" in done.stderr


def test_the_deployment_check_is_clean_with_https(tmp_path):
    done = manage(
        "check", "--deploy", "--fail-level", "WARNING", folder=tmp_path, HTTPS="1", SECRET_KEY="abcdefghij" * 6
    )

    assert (done.returncode, done.stderr) == (0, "")


SHOW = """
import json
from django.conf import settings
print(json.dumps({
    "DEBUG": settings.DEBUG, "ALLOWED_HOSTS": settings.ALLOWED_HOSTS, "HOST": settings.HOST, "PORT": settings.PORT,
    "WEB_CONCURRENCY": settings.WEB_CONCURRENCY, "TOKEN_LIFETIME": settings.TOKEN_LIFETIME.total_seconds(),
    "database": settings.DATABASES["default"]["NAME"], "cache": settings.CACHES["default"].get("LOCATION", ""),
    "MEDIA_ROOT": str(settings.MEDIA_ROOT), "PRIVATE_ROOT": str(settings.PRIVATE_ROOT),
    "media": settings.STORAGES["default"].get("OPTIONS", {}).get("bucket_name", ""), "DEMO": settings.DEMO,
    "secure": [settings.SECURE_SSL_REDIRECT, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE],
    "proxy": getattr(settings, "SECURE_PROXY_SSL_HEADER", None),
}))
"""


def test_unset_variables_mean_the_defaults(tmp_path):
    unset = dict.fromkeys(["DATABASE_URL", "MEDIA_ROOT", "PRIVATE_ROOT"], "")

    done = manage("shell", "--no-imports", "-c", SHOW, folder=tmp_path, **unset, WEB_CONCURRENCY="3")

    assert json.loads(done.stdout) == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
        "HOST": "127.0.0.1",
        "PORT": 8000,
        "WEB_CONCURRENCY": 3,
        "TOKEN_LIFETIME": 30 * 24 * 3600,
        "database": str(ROOT / "var/db.sqlite3"),
        "cache": "",
        "MEDIA_ROOT": str(ROOT / "var/media"),
        "PRIVATE_ROOT": str(ROOT / "var/private"),
        "media": "",
        "DEMO": True,
        "secure": [False, False, False],
        "proxy": None,
    }


def test_set_variables_are_obeyed(tmp_path):
    done = manage(
        *("shell", "--no-imports", "-c", SHOW),
        folder=tmp_path,
        DEBUG="1",
        ALLOWED_HOSTS="exams.example.com, .example.org,[2001:db8::1]",
        DATABASE_URL="postgres://me:p%40ss@db.example.com:5433/exams?sslmode=require",
        REDIS_URL="redis://:secret@cache.example.com:6380/2",
        HOST="[::]",
        PORT="80",
        HTTPS="1",
        TOKEN_LIFETIME="1.5 days",
        TRUST_PROXY="1",
        MEDIA_ROOT="files/media",
        PRIVATE_ROOT="/srv/private",
        AWS_STORAGE_BUCKET_NAME="exams-media",
    )

    assert json.loads(done.stdout) == {
        "DEBUG": True,
        "ALLOWED_HOSTS": ["exams.example.com", ".example.org", "[2001:db8::1]"],
        "HOST": "::",
        "PORT": 80,
        "WEB_CONCURRENCY": 1,
        "TOKEN_LIFETIME": 36 * 3600,
        "database": "exams",
        "cache": "redis://:secret@cache.example.com:6380/2",
        "MEDIA_ROOT": str(ROOT / "files/media"),
        "PRIVATE_ROOT": "/srv/private",
        "media": "exams-media",
        "DEMO": False,
        "secure": [True, True, True],
        "proxy": ["HTTP_X_FORWARDED_PROTO", "https"],
    }


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: environment.flag("X", False), "2"),
        (lambda: environment.whole("X", 1, least=1, most=65535), "65536"),
        (lambda: environment.whole("X", 1, least=1, most=65535), "-1"),
        (lambda: environment.whole("X", 1, least=1, most=65535), "1.0"),
        (lambda: environment.whole("X", 1, least=1, most=65535), "١"),
        (lambda: environment.whole("X", 1, least=1, most=65535), "9" * 5000),
        (lambda: environment.days("X", 30), "0"),
        (lambda: environment.days("X", 30), "-1"),
        (lambda: environment.days("X", 30), "nan"),
        (lambda: environment.days("X", 30), "3651"),
        (lambda: environment.days("X", 30), "30 hours"),
        (lambda: environment.host("X", ""), "http://0.0.0.0"),
        (lambda: environment.host("X", ""), "127.0.0.1:8000"),
        (lambda: environment.host("X", ""), "1.2.3"),
        (lambda: environment.host("X", ""), "a b"),
        (lambda: environment.hosts("X", ""), ","),
        (lambda: environment.hosts("X", ""), "good.example.com, bad.example.com:443"),
        (lambda: environment.hosts("X", ""), "*.example.com"),
        (lambda: environment.hosts("X", ""), "::1"),
        (lambda: environment.path("X", "", base=Path("/srv")), "~/media"),
        (lambda: environment.url("X", ("https",)), "http://example.com"),
        (lambda: environment.url("X", ("https",)), "https://"),
        (lambda: environment.url("X", ("https",)), "https://example.com:port"),
        (lambda: environment.redis("X"), "redis://localhost:6379/first"),
        (lambda: environment.bucket("X"), "a/b"),
        (lambda: environment.domain("X"), "media example"),
    ],
)
def test_a_wrong_value_is_refused(read, value, monkeypatch):
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match=r"^X "):
        read()


@pytest.mark.parametrize(
    "value",
    [
        "sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite://localhost/db.sqlite3",
        "sqlite:///db.sqlite3?timeout=5",
        "sqlite:///.",
        "postgres://",
        "postgres:///",
        "postgres://me:hunter2@localhost",
        "postgres://me:hunter2@localhost:port/exams",
        "postgres://me:hunter2@localhost:99999/exams",
        "postgres://me:hunter2@localhost/exams?sslmod=require",
        "postgres://me:hunter2@localhost/exams?options=-c%20statement_timeout=0",
        "postgres://me:hunter2@localhost/exams?sslmode",
        "postgres://me:hunter2@[::1/exams",
        "me:hunter2@localhost/exams",
    ],
)
def test_a_wrong_database_is_refused_without_showing_its_password(value, monkeypatch, tmp_path):
    monkeypatch.setenv("X", value)

    with pytest.raises(ImproperlyConfigured, match=r"^X\b") as caught:
        environment.database("X", "", base=tmp_path)

    assert "hunter2" not in str(caught.value)


def test_a_database_file_lies_below_the_project_unless_its_path_is_absolute(monkeypatch, tmp_path):
    for value, name in [
        ("sqlite:///data/exams.sqlite3", f"{tmp_path}/data/exams.sqlite3"),
        (f"sqlite:///{tmp_path}/else/exams.sqlite3", f"{tmp_path}/else/exams.sqlite3"),
    ]:
        monkeypatch.setenv("X", value)

        assert environment.database("X", "", base=tmp_path)["NAME"] == name
        assert Path(name).parent.is_dir()


def test_a_database_folder_that_cannot_be_made_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("X", "sqlite:///file/db.sqlite3")

    with pytest.raises(ImproperlyConfigured, match=r"^X: the folder .*/file cannot be made"):
        environment.database("X", "", base=tmp_path)


def test_days_are_read_with_and_without_their_unit(monkeypatch):
    for value, period in [("1", timedelta(days=1)), ("30 days", timedelta(days=30)), ("0.5day", timedelta(hours=12))]:
        monkeypatch.setenv("X", value)

        assert environment.days("X", 30) == period


def test_the_secret_is_made_once_and_kept_to_its_owner(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    file = tmp_path / "var" / "secret_key"

    made = environment.secret("X", file)

    assert len(made) >= 64
    assert environment.secret("X", file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff" * 64])
def test_a_kept_secret_that_is_none_is_refused(content, monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    (tmp_path / "secret_key").write_bytes(content)

    with pytest.raises(ImproperlyConfigured, match=r"^X "):
        environment.secret("X", tmp_path / "secret_key")


def test_a_secret_that_cannot_be_kept_is_refused(monkeypatch, tmp_path):
    monkeypatch.delenv("X", raising=False)
    (tmp_path / "file").touch()

    with pytest.raises(ImproperlyConfigured, match="Set X"):
        environment.secret("X", tmp_path / "file" / "secret_key")
