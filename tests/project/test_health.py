"""What load balancers ask: /livez (does the process answer?) and /healthz (does it reach its database?)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone


@pytest.fixture
def broken_database(transactional_db, monkeypatch):
    """A connection whose database is gone."""
    connection.close()
    for name, value in {"NAME": "/nowhere/db", "HOST": "127.0.0.1", "PORT": "1"}.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    yield
    connection.close()
    monkeypatch.undo()


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/livez", "/livez/"])
def test_health_is_ok_while_the_database_answers(path, client, db):
    response = client.get(path)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_health_tells_that_the_database_is_down(client, broken_database):
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


def test_liveness_asks_no_database(client):
    """Without the `db` fixture any query would fail."""
    response = client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_health_answers_whatever_host_the_probe_names_and_over_plain_http(client, db, settings):
    settings.SECURE_SSL_REDIRECT = True

    for path in ("/healthz", "/livez"):
        assert client.get(path, headers={"host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize(("seconds", "fit"), [(0, True), (1.5, True), (-1.5, True), (3, False), (-120, False)])
def test_health_tells_that_the_clock_differs_from_the_databases(seconds, fit, client, db, at):
    """SQLite has no clock of its own to differ from."""
    at(timezone.now() + timedelta(seconds=seconds))

    response = client.get("/healthz")

    if fit or connection.vendor != "postgresql":
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    else:
        [status] = response.json().values()
        words, _, rest = status.partition(" by ")
        assert (response.status_code, words) == (503, "clock differs from the database's")
        assert abs(float(rest.removesuffix(" seconds")) - abs(seconds)) < 1
