"""Waiting after wrong log-ins."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections

from accounts import hashing, throttling
from accounts.models import LoginFailure
from tests.accounts.conftest import PASSWORD_WORDS
from tests.conftest import NOW, PASSWORD, Api

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def log_in(username="asha", password=PASSWORD, *, address=HERE, status=200, **extra):
    api = Api()
    answer = api.post(
        "auth-token/", {"username": username, "password": password}, status=status, REMOTE_ADDR=address, **extra
    )
    return answer, api.response


def fail(times=1, username="asha", **kwargs):
    for _ in range(times):
        assert log_in(username, "wrong", status=400, **kwargs)[0] == PASSWORD_WORDS


def waits(seconds, username="asha", **kwargs):
    """Asserts that a log-in, even a right one, is refused for so many seconds more."""
    answer, response = log_in(username, status=429, **kwargs)
    assert answer == {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
    assert response["Retry-After"] == str(seconds)


def test_pair_waits_after_five(asha, at):
    """After five failures the username should wait 60 s at that address, even with the right password."""
    at(NOW)
    fail(5)
    waits(60)
    at(NOW + timedelta(seconds=18, milliseconds=500))
    waits(42)
    at(NOW + timedelta(seconds=60))
    log_in()


def test_pair_four_failures(asha, at):
    """After four failures nobody should wait."""
    at(NOW)
    fail(4)
    log_in()


def test_pair_slow_failures(asha, at):
    """Failures should add up also where they come slowly."""
    for minute in range(5):
        at(NOW + timedelta(minutes=minute))
        fail()
    waits(60)


def test_pair_five_more(asha, at):
    """After the wait there should be five more tries, and then the next wait."""
    for _ in range(3):
        at(NOW)
        fail(5)
        waits(60)
        at(NOW + timedelta(seconds=60))
        fail(5)
        waits(60)
        at(NOW + timedelta(seconds=121))
        log_in()


def test_pair_waiting_is_not_prolonged(asha, at):
    """Trying while one waits should not count."""
    at(NOW)
    fail(5)
    at(NOW + timedelta(seconds=30))
    waits(30)
    waits(30)
    assert LoginFailure.objects.count() == 5


def test_pair_waiting_hashes_nothing(asha, at, monkeypatch):
    """While one waits nothing should be hashed: waiting must not cost the server."""
    at(NOW)
    fail(5)
    monkeypatch.setattr(MD5PasswordHasher, "encode", None)
    waits(60)


def test_pair_success_clears(asha, at):
    """A success should clear the pair's failures."""
    at(NOW)
    fail(4)
    log_in()
    assert LoginFailure.objects.count() == 0
    fail(4)
    log_in()


def test_pair_other_address(asha, at):
    """A username should not wait at an address that has not failed: nobody can lock out a rival."""
    at(NOW)
    fail(5)
    log_in(address=ELSEWHERE)
    # That success is no excuse for the address that failed.
    waits(60)


def test_pair_other_username(asha, balu, at):
    """Another username should not wait at the address: an exam hall shares one."""
    at(NOW)
    fail(5)
    log_in("balu")


def test_pair_unknown_username(asha, at):
    """An unknown username should wait as a known one does, so that nobody learns which exist."""
    at(NOW)
    fail(5, "nobody")
    waits(60, "nobody")


def test_pair_spellings(asha, at):
    """All spellings of a username should count as one."""
    at(NOW)
    for username in ("asha", "ASHA", " Asha ", "aSHa", "ａｓｈａ"):
        fail(1, username)
    waits(60)
    waits(60, "ASHA")


def test_address_waits_after_300(asha, balu, at):
    """After 300 failures of many usernames within a minute the address should wait, and only it."""
    at(NOW)
    fail(1, "early bird")
    at(NOW + timedelta(seconds=20))
    LoginFailure.objects.bulk_create(
        LoginFailure(pair=f"{n}", address=HERE, at=NOW + timedelta(seconds=10)) for n in range(298)
    )
    fail(1, "the 300th")
    waits(40)
    waits(40, "balu")
    log_in(address=ELSEWHERE)
    # The first failure is a minute old: 299 are left, which is one fewer than too many.
    at(NOW + timedelta(seconds=60))
    log_in()


def test_address_of_hall(asha, at):
    """A hall with 299 failures in a minute should log in freely."""
    at(NOW)
    LoginFailure.objects.bulk_create(LoginFailure(pair=f"{n}", address=HERE, at=NOW) for n in range(299))
    log_in()


# --- Whose address ---


def test_forwarded_address_untrusted(asha, at):
    """Without a trusted proxy X-Forwarded-For should be ignored: anyone can write it."""
    at(NOW)
    for n in range(5):
        fail(HTTP_X_FORWARDED_FOR=f"192.0.2.{n}")
    waits(60, HTTP_X_FORWARDED_FOR="192.0.2.99")


def test_forwarded_address_trusted(asha, at, settings):
    """Behind a trusted proxy the last entry should count, which the proxy wrote; the others are the client's words."""
    settings.TRUST_PROXY = True
    at(NOW)
    for n in range(5):
        fail(HTTP_X_FORWARDED_FOR=f"192.0.2.{n}, {ELSEWHERE}")
    waits(60, HTTP_X_FORWARDED_FOR=f"192.0.2.99,{ELSEWHERE}")
    log_in(HTTP_X_FORWARDED_FOR=f"{ELSEWHERE}, {HERE}")


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8:1:2::1]:4711", "2001:db8:1:2::"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::"),
        ("", ""),
        ("unix:" + "x" * 100, "unix:" + "x" * 40),
    ],
)
def test_client_address(rf, remote, expected):
    """An address should count in one form; of IPv6 the network, since one customer has all its addresses."""
    assert throttling.client_address(rf.get("/", REMOTE_ADDR=remote)) == expected


# --- The table ---


def test_failures_hide_the_username(asha, at):
    """A failure should not keep what was typed: it may be a password."""
    at(NOW)
    fail(1, "my secret password")
    row = LoginFailure.objects.get()
    assert (row.address, row.at, len(row.pair)) == (HERE, NOW, 64)
    assert "secret" not in row.pair


def test_old_failures_do_not_count(asha, at):
    """A failure of more than an hour ago should be forgotten."""
    at(NOW)
    fail(4)
    at(NOW + timedelta(hours=1))
    fail(4)
    log_in()


def test_old_failures_are_removed(asha, at):
    """Each failure should remove some of the old ones, and a bounded number of them."""
    at(NOW)
    LoginFailure.objects.bulk_create(
        LoginFailure(pair=f"{n}", address=ELSEWHERE, at=NOW - timedelta(hours=2, seconds=-n)) for n in range(50)
    )
    fail()
    assert LoginFailure.objects.count() == 50 - 20 + 1
    fail(2)
    assert LoginFailure.objects.count() == 3


def test_failure_statements(asha, at, statements):
    """A failure should cost: who waits, the user, who waits now, the failure, old ones; on PostgreSQL a lock, too."""
    at(NOW)
    fail()
    with statements(6 if connections["default"].vendor == "postgresql" else 5):
        fail()


# --- Races ---


@pytest.fixture
def slow_hash(monkeypatch):
    """All parallel log-ins hash at the same moment: each waits for the others, as in so many server processes."""

    def meet(number):
        monkeypatch.setattr(hashing, "line", SimpleNamespace(place=nullcontext, turn=nullcontext))
        barrier = threading.Barrier(number)
        encode = MD5PasswordHasher.encode

        def slow(self, *args):
            barrier.wait(20)
            return encode(self, *args)

        monkeypatch.setattr(MD5PasswordHasher, "encode", slow)

    return meet


def parallel(log_ins):
    """The log-ins' status codes; all start at once."""

    def one(password):
        api = Api()
        try:
            response = super(Api, api).post("/api/v2.1/auth-token/", {"username": "asha", "password": password})
            return response.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(log_ins)) as pool:
        return sorted(pool.map(one, log_ins))


@pytest.mark.django_db(transaction=True)
def test_race_of_guesses(asha, slow_hash):
    """Of eight guesses at once five should be told wrong, and the others nothing."""
    slow_hash(8)
    assert parallel(["wrong"] * 8) == [400] * 5 + [429] * 3
    assert LoginFailure.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_race_of_successes(asha, slow_hash):
    """Eight right log-ins at once should all succeed."""
    slow_hash(8)
    assert parallel([PASSWORD] * 8) == [200] * 8


@pytest.mark.django_db(transaction=True)
def test_race_right_guess_after_five(asha, monkeypatch):
    """A right guess that is hashed while another process counts five wrong ones should not be told right."""
    encode, spent = MD5PasswordHasher.encode, []
    monkeypatch.setattr(
        hashing, "line", SimpleNamespace(place=nullcontext, turn=nullcontext)
    )  # the other process has its own

    def meanwhile(self, *args):
        if not spent:
            spent.append(True)
            fail(5, address="127.0.0.1")
        return encode(self, *args)

    monkeypatch.setattr(MD5PasswordHasher, "encode", meanwhile)
    waits(60, address="127.0.0.1")
    assert LoginFailure.objects.count() == 5
