"""The line for hashing: one log-in at a time, a few waiting, and what the others meet meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection, connections

from accounts import hashing
from accounts.hashing import Line
from accounts.models import LoginFailure
from testpress.exceptions import Busy
from tests.conftest import PASSWORD, Api

SECONDS = 20  # beyond it something hangs
CREDENTIALS = {"username": "asha", "password": PASSWORD}


class Log:
    """What threads did, in order; `wait_for` returns once something has been done so often."""

    def __init__(self):
        self.done = []
        self.changed = threading.Condition()

    def add(self, what):
        with self.changed:
            self.done.append(what)
            self.changed.notify_all()

    def wait_for(self, what, times=1):
        with self.changed:
            assert self.changed.wait_for(lambda: self.done.count(what) >= times, SECONDS), self.done


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def hash_stops(monkeypatch, log):
    """Hashing goes on only once the event is set."""
    go_on, encode = threading.Event(), MD5PasswordHasher.encode

    def stopping(self, *args):
        log.add("hashing")
        assert go_on.wait(SECONDS)
        return encode(self, *args)

    monkeypatch.setattr(MD5PasswordHasher, "encode", stopping)
    yield go_on
    go_on.set()


class WatchedLock:
    """A lock that logs who has to wait for it."""

    def __init__(self, log):
        self.log, self.lock = log, threading.Lock()

    def acquire(self, blocking=True):
        if blocking:
            self.log.add("waits")
        return self.lock.acquire(blocking)

    def release(self):
        self.lock.release()


@contextmanager
def threads(call, number):
    """So many threads that call; their results when all are through."""
    results = []

    def run():
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(run) for _ in range(number)]
        yield results
        results += [future.result(SECONDS) for future in futures]


def watched(places, log):
    line = Line(places)
    line._turn = WatchedLock(log)
    return line


def test_one_at_a_time_and_the_others_in_line(log):
    line = watched(3, log)
    leave = threading.Event()

    def hash():
        with line.place(), line.turn():
            log.add("in")
            assert leave.wait(SECONDS)
            log.add("out")

    with threads(hash, 3):
        log.wait_for("in")
        log.wait_for("waits", 2)
        assert log.done.count("in") == 1
        with pytest.raises(Busy) as refused, line.place():
            log.add("never")
        leave.set()

    assert [what for what in log.done if what != "waits"] == ["in", "out"] * 3
    assert refused.value.wait in (1, 2, 3)


def test_an_error_within_the_turn_leaves_the_place():
    line = Line(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="wrong"), line.place(), line.turn():
            raise ValueError("wrong")
    with line.place(), line.turn():
        pass


@pytest.mark.django_db(transaction=True)
def test_who_waits_holds_no_connection(log):
    """Which at the end of the wait must be back in the pool."""
    line = watched(2, log)
    leave = threading.Event()
    held = []

    def first():
        with line.turn():
            log.add("in")
            assert leave.wait(SECONDS)

    def second():
        connection.ensure_connection()
        line._turn.log = Watch()
        with line.turn():
            pass

    class Watch:
        def add(self, what):
            held.append(connection.connection)
            log.add(what)

    with threads(first, 1):
        log.wait_for("in")
        with threads(second, 1):
            log.wait_for("waits")
            leave.set()

    assert held == [None]


def test_the_line_leaves_threads_to_everybody_else(settings):
    assert hashing.line._places._value == settings.THREADS - 3 >= 1


@pytest.mark.django_db(transaction=True)
def test_a_log_in_too_many_is_told_to_come_back(asha, hash_stops, log, monkeypatch):
    """It should not count as a failure, and those in line should get their token."""
    monkeypatch.setattr(hashing, "line", watched(2, log))

    def log_in():
        api = Api()
        return super(Api, api).post("/api/v2.1/auth-token/", CREDENTIALS).status_code

    with threads(log_in, 2) as statuses:
        log.wait_for("hashing")
        log.wait_for("waits")
        api = Api()
        answer = api.post("auth-token/", CREDENTIALS, status=503)
        hash_stops.set()

    assert answer == {"detail": "The server is busy. Try again."}
    assert api.response["Retry-After"] in ("1", "2", "3")
    assert LoginFailure.objects.count() == 0
    assert statuses == [200, 200]
    Api().post("auth-token/", CREDENTIALS)


@pytest.mark.django_db(transaction=True)
def test_other_calls_are_answered_while_log_ins_wait(asha, hash_stops, log, monkeypatch):
    monkeypatch.setattr(hashing, "line", watched(3, log))
    api = Api(asha)

    with threads(lambda: Api().post("auth-token/", CREDENTIALS), 3):
        log.wait_for("hashing")
        log.wait_for("waits", 2)
        assert api.get("me/")["username"] == "asha"
        hash_stops.set()


def test_the_admin_site_says_so_on_its_form(client, db, monkeypatch):
    monkeypatch.setattr(hashing, "line", Line(0))

    response = client.post("/admin/login/", {"username": "asha", "password": "x"}, headers={"host": "localhost"})

    assert response.status_code == 200
    assert "The server is busy. Try again." in response.content.decode()
    assert LoginFailure.objects.count() == 0
