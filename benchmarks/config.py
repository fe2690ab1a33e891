"""What a run is told by its environment, and Django set up on the benchmark's own database and cache."""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

import django
import psycopg
import redis

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "bench"

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/bench"
# Its own variable, not the server's REDIS_URL: the benchmark empties what this names. `none`: local memory.
REDIS_URL = os.environ.get("BENCH_REDIS_URL") or "redis://127.0.0.1:6379/9"

CLIENTS = 8
WORKERS = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
PHASE_SECONDS = float(os.environ.get("PHASE_SECONDS") or 10)
# What the servers' settings say about connections; this process changes its own.
CONNECTIONS: dict[str, object] = {}
WARM_UP_SECONDS = min(1.5, PHASE_SECONDS / 4)
STUDENTS = int(os.environ.get("STUDENTS") or 4000)


def apply() -> dict[str, str]:
    """Sets the environment that every server of the run shares, sets Django up, and gives that environment."""
    name = urlsplit(DATABASE_URL).path.lstrip("/")
    if "bench" not in name:
        sys.exit(f"BENCH_DATABASE_URL names the database {name!r}. It is dropped, so its name must contain `bench`.")
    shared = {
        "DJANGO_SETTINGS_MODULE": "testpress.settings",
        "DATABASE_URL": DATABASE_URL,
        "REDIS_URL": REDIS_URL if _redis_answers() else "",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "WEB_CONCURRENCY": str(WORKERS),
        "HOST": "127.0.0.1",
        "DEBUG": "0",
        "DEMO": "0",
        "HTTPS": "0",
        "TRUST_PROXY": "0",
        "TOKEN_LIFETIME": "30",
    }
    os.environ.update(shared)
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_database()
    django.setup()
    from django.db import connection

    CONNECTIONS["CONN_MAX_AGE"] = connection.settings_dict["CONN_MAX_AGE"]
    CONNECTIONS["OPTIONS"] = dict(connection.settings_dict.get("OPTIONS", {}))
    # This process needs one connection that stays, not a pool; the servers it starts keep theirs.
    connection.settings_dict.get("OPTIONS", {}).pop("pool", None)
    connection.settings_dict["CONN_MAX_AGE"] = None
    return shared


def make_database():
    """The database, made anew: no run finds what another left in its tables."""
    parts = urlsplit(DATABASE_URL)
    name = parts.path.lstrip("/")
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')


def _redis_answers():
    if REDIS_URL == "none":
        return False
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=1) as server:
            return server.ping()
    except redis.RedisError as error:
        if os.environ.get("BENCH_REDIS_URL"):
            sys.exit(f"BENCH_REDIS_URL does not answer: {error}")
        return False
