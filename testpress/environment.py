"""Strict reading of environment variables: a wrong value stops the start with a sentence that names it."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


def text(name, default=""):
    """The variable's text without surrounding blanks; an empty variable counts as unset."""
    return os.environ.get(name, "").strip() or default


def flag(name, default):
    """`1` or `0` as a bool."""
    value = text(name, "1" if default else "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def whole(name, default, *, least, most):
    """A whole number from `least` to `most`."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def names(name, default):
    """A comma-separated list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def days(name, default):
    """A number of days, such as `30`, `30 days` or `0.5`, as a timedelta."""
    value = text(name, str(default))
    try:
        period = timedelta(days=float(value.removesuffix("days").removesuffix("day").strip()))
    except (ValueError, OverflowError):
        period = timedelta(0)
    if not timedelta(0) < period <= timedelta(days=3650):
        raise ImproperlyConfigured(f"{name} must be a number of days above 0 and up to 3650, not {value!r}.")
    return period


def database(name, default):
    """Django's settings of the database that a URL names; `sqlite://` or `postgres://`."""
    value = text(name, default)
    scheme = urlsplit(value).scheme
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(f"{name} must begin with sqlite:// or postgres://, not {scheme or value[:10]!r}.")
    try:
        settings = environ.Env.db_url_config(value)
    except ValueError as error:
        # The URL may carry a password, so it is not repeated here.
        raise ImproperlyConfigured(f"{name} is not a database URL: {type(error).__name__}.") from None
    if not settings.get("NAME"):
        raise ImproperlyConfigured(f"{name} names no database.")
    return settings


def url(name, schemes):
    """A URL of one of `schemes`, or `""` where the variable is unset."""
    value = text(name)
    if value and urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(s + '://' for s in schemes)}.")
    return value


def secret(name, path: Path):
    """The variable, or else the secret kept in the file at `path`, made on first use with mode 600.

    Several processes may start at once: each writes a file of its own and links it to the name, and the first link wins.
    """
    if value := text(name):
        return value
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    if not (value := path.read_text().strip()):
        raise ImproperlyConfigured(f"{path} is empty: remove it, or set {name}.")
    return value
