"""What load balancers ask: /livez (does the process answer?) and /healthz (does it reach its database?)."""

import pytest
from django.db import connection


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
