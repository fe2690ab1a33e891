"""A Redis that is down or slow costs speed, never an answer."""

import logging
import socket

import pytest

from testpress import cache as module
from testpress.cache import ForgivingRedisCache, Outage


@pytest.fixture
def outage(monkeypatch):
    outage = Outage()
    monkeypatch.setattr(module, "outage", outage)
    return outage


@pytest.fixture
def dead_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def silent_port():
    """Takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.fixture(params=["dead", "silent"])
def broken(request, outage, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.01)
    port = request.getfixturevalue(f"{request.param}_port")
    return ForgivingRedisCache(f"redis://127.0.0.1:{port}/0", {})


def test_every_call_answers_as_if_nothing_were_kept(broken, outage):
    calls = {
        "get": (("key", "default"), "default"),
        "set": (("key", 1), None),
        "add": (("key", 1), True),
        "get_many": ((["key"],), {}),
        "set_many": (({"key": 1},), []),
        "has_key": (("key",), False),
        "touch": (("key",), False),
        "delete": (("key",), False),
        "delete_many": ((["key"],), None),
        "clear": ((), False),
    }
    for name, (args, expected) in calls.items():
        outage.until = 0
        assert getattr(broken, name)(*args) == expected
        assert outage.is_on()


def test_an_outage_is_logged_once_and_nobody_waits_again(broken, outage, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            assert broken.get("key") is None

    assert len(caplog.records) == 1


def test_after_the_pause_it_is_tried_again(broken, outage, monkeypatch):
    broken.get("key")
    until = outage.until
    monkeypatch.setattr(module.time, "monotonic", lambda: until + 0.1)

    broken.get("key")

    assert outage.until > until
