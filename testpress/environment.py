"""Strict reading of environment variables: a wrong value stops the start with a sentence that names it."""

import ipaddress
import os
import re
import secrets
import socket
import warnings
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?", re.IGNORECASE)


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
    if not (value.isascii() and value.isdigit() and len(value) < 19 and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def days(name, default):
    """A number of days, such as `30`, `30 days` or `0.5`, as a timedelta."""
    value = text(name, str(default))
    number = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(?: ?days?)?", value, re.ASCII)
    period = timedelta(days=float(number[1])) if number else timedelta(0)
    if not timedelta(0) < period <= timedelta(days=3650):
        raise ImproperlyConfigured(f"{name} must be a number of days above 0 and up to 3650, not {value!r}.")
    return period


def _is_address(value):
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_host(value):
    """An IPv4 or IPv6 address or a host name; something like `300.1.2.3` is a mistyped address, not a name."""
    return _is_address(value) or bool(HOST_NAME.fullmatch(value) and not re.fullmatch(r"[\d.]+", value))


def host(name, default):
    """An address to listen on, or a name of one; an IPv6 address may stand in brackets, which are taken off."""
    value = text(name, default)
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if not _is_host(bare):
        raise ImproperlyConfigured(
            f"{name} must be an address to listen on, such as 127.0.0.1 or 0.0.0.0, not {value!r}."
        )
    return bare


def hosts(name, default):
    """A comma-separated list of host names as they stand in a URL, without a scheme or port.

    `.example.com` means all names below it as well, `*` every name; an IPv6 address stands in brackets.
    """
    found = [part.strip() for part in text(name, default).split(",") if part.strip()]
    if not found:
        raise ImproperlyConfigured(f"{name} names no host.")
    for value in found:
        in_brackets = value.startswith("[") and value.endswith("]") and _is_address(value[1:-1])
        if not (value == "*" or in_brackets or (":" not in value and _is_host(value.removeprefix(".")))):
            raise ImproperlyConfigured(
                f"{name} must list host names such as exams.example.com, without a scheme or port; {value!r} is none."
            )
    return found


def path(name, default, *, base):
    """A folder; one that is not absolute lies below `base`, whatever folder the command was started in."""
    value = text(name, str(default))
    if value.startswith("~"):
        raise ImproperlyConfigured(f"{name} must be a path written out, not {value!r}: only a shell knows what ~ is.")
    return base / value


def database(name, default, *, base):
    """Django's settings of the database that a URL names; `sqlite://` or `postgres://`.

    A file that is not absolute lies below `base`. The URL may carry a password, so no message repeats it.
    """
    value = text(name, str(default))
    scheme = value.partition("://")[0] if "://" in value else ""
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(f"{name} must begin with sqlite:/// or postgres://.")
    try:
        parts = urlsplit(value)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            settings = environ.Env.db_url_config(value)
    except (ValueError, Warning):
        raise ImproperlyConfigured(
            f"{name} is not a database URL such as postgres://user:password@host:5432/name."
        ) from None
    if not settings.get("NAME") or value in ("sqlite://", "sqlite:///"):
        raise ImproperlyConfigured(f"{name} names no database.")
    if scheme == "sqlite":
        if parts.netloc or options:
            raise ImproperlyConfigured(f"{name} must be sqlite:/// and a path, with no host and no options.")
        if settings["NAME"] != ":memory:":
            settings["NAME"] = str(_place_for(name, base / settings["NAME"]))
    elif unknown := sorted({key for key, _ in options} - _postgres_options()):
        raise ImproperlyConfigured(f"{name} has the option {unknown[0]!r}, which is none of PostgreSQL's connections.")
    return settings


def _place_for(name, file):
    """The file, whose folder is made."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: the folder {file.parent} cannot be made: {error.strerror}.") from None
    if file.is_dir():
        raise ImproperlyConfigured(f"{name} must name a file; {file} is a folder.")
    return file


def _postgres_options():
    """What a connection to PostgreSQL takes; `options` is the settings' own."""
    from psycopg.pq import Conninfo

    return {option.keyword.decode() for option in Conninfo.get_defaults()} - {"options"}


def url(name, schemes):
    """A URL of one of `schemes` with a host, or `""` where the variable is unset."""
    value = text(name)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        whole_url = parts.scheme in schemes and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        whole_url = False
    if not whole_url:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(s + '://' for s in schemes)} and a host.")
    return value


def redis(name):
    """A URL of a Redis or Valkey, `redis://host:6379/0`, or `""` where the variable is unset."""
    value = url(name, ("redis", "rediss"))
    if value and not re.fullmatch(r"(/\d{0,4})?", urlsplit(value).path):
        raise ImproperlyConfigured(f"{name} must end with the number of a database, such as redis://host:6379/0.")
    return value


def bucket(name):
    """The name of a bucket, or `""` where the variable is unset."""
    value = text(name)
    if value and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", value):
        raise ImproperlyConfigured(f"{name} must be the name of a bucket, not {value!r}.")
    return value


def domain(name):
    """A host name, perhaps with a port and a path, without a scheme; `""` where the variable is unset."""
    value = text(name)
    first, _, _ = value.partition("/")
    bare, _, port = first.partition(":")
    if value and not (_is_host(bare) and (not port or port.isdigit()) and "://" not in value):
        raise ImproperlyConfigured(f"{name} must be a host name such as media.example.com, not {value!r}.")
    return value


def secret(name, file: Path):
    """The variable, or else the secret kept in `file`, made on first use with mode 600; at least 32 characters.

    Several processes may start at once: each writes a file of its own and links it to the name; the first link wins.
    """
    if not (value := text(name)):
        try:
            value = _kept_secret(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            raise ImproperlyConfigured(
                f"{name} is not set, and {file} cannot be made or read: {reason}. Set {name}."
            ) from None
        if not value:
            raise ImproperlyConfigured(f"{name} is not set, and {file} is empty: remove it, or set {name}.")
    if len(value) < 32:
        raise ImproperlyConfigured(f"{name} must have at least 32 characters.")
    return value


def secrets_of(name):
    """A comma-separated list of secrets of at least 32 characters each; empty where the variable is unset."""
    found = [part.strip() for part in text(name).split(",") if part.strip()]
    if any(len(value) < 32 for value in found):
        raise ImproperlyConfigured(f"{name} must list secrets of at least 32 characters each.")
    return found


def _kept_secret(file):
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        mine = file.with_name(f"{file.name}.{socket.gethostname()}.{os.getpid()}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(64))
        try:
            os.link(mine, file)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return file.read_text().strip()
