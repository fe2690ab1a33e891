"""Waiting after wrong log-ins, counted in the database, so across all server processes.

- After every 5 failures of one username from one address that pair waits 60 s; a success clears it.
- An address alone waits only where it has failed 300 times within a minute: an exam hall shares one.
- A username alone never waits: anyone could lock out a rival.

While somebody waits, nothing is hashed and no failure is counted.
"""

import ipaddress
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import Throttled

from accounts import hashing
from accounts.models import LoginFailure, User

TRIES = 5
WAIT = timedelta(seconds=60)
ADDRESS_FAILURES = 300
ADDRESS_PERIOD = timedelta(minutes=1)
KEPT = timedelta(hours=1)
SWEPT_AT_ONCE = 20


def guard(request, username, check):
    """The user whom `check()` finds, or None where it finds none: then the failure is counted.

    `check`, which hashes, is called at most once, and only where nobody waits.

    :raises Throttled: the pair of username and address, or the address, has to wait; `wait` says how many seconds.
    :raises Busy: this process has too many log-ins to check already; nothing is counted.
    """
    with hashing.line.place():
        address = client_address(request)
        pair = _pair(username, address)
        _refuse_who_waits(pair, address)
        with hashing.line.turn():
            user = check()
        if user is None:
            _count_failure(pair, address)
        # Parallel guesses may have failed while this was hashed. A right one among more than are allowed must not show.
        elif _refuse_who_waits(pair, address):
            LoginFailure.objects.filter(pair=pair).delete()
        return user


def client_address(request) -> str:
    """The address a request came from; of IPv6 the /64 network, since one customer has all of it.

    Behind a trusted proxy that is the last entry of X-Forwarded-For, the one which the proxy itself wrote.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUST_PROXY and (forwarded := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        address = forwarded.rpartition(",")[2].strip()
    try:
        parsed = ipaddress.ip_address(_without_port(address))
    except ValueError:  # a Unix socket has none
        return address[: LoginFailure._meta.get_field("address").max_length]
    if parsed.version == 6:
        parsed = parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False).network_address
    return str(parsed)


def _without_port(address):
    """Some proxies write `192.0.2.1:4711` and `[2001:db8::1]:4711`: each connection would count as an address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]") if port.isdigit() and ("]" in host or ":" not in host) else address.strip("[]")


def _pair(username, address):
    """A digest, because people type passwords into the username's field; folded, so that all spellings count as one."""
    name = User.normalize_username(username).casefold()
    return salted_hmac("accounts.throttling", f"{address} {name}", algorithm="sha256").hexdigest()


def _refuse_who_waits(pair, address):
    """The number of the pair's failures.

    :raises Throttled: the pair or the address has to wait.
    """
    now = timezone.now()
    of_pair = Q(pair=pair, at__gt=now - KEPT)
    of_address = Q(address=address, at__gt=now - ADDRESS_PERIOD)
    failures = LoginFailure.objects.filter(of_pair | of_address).aggregate(
        of_pair=Count("pk", filter=of_pair),
        last=Max("at", filter=of_pair),
        of_address=Count("pk", filter=of_address),
        first=Min("at", filter=of_address),
    )
    ends = [now]
    if failures["of_pair"] and failures["of_pair"] % TRIES == 0:
        ends.append(failures["last"] + WAIT)
    if failures["of_address"] >= ADDRESS_FAILURES:
        ends.append(failures["first"] + ADDRESS_PERIOD)
    if (wait := max(ends) - now) > timedelta(0):
        # The clocks of several servers differ: none may make a wait longer than it is.
        raise Throttled(min(wait, WAIT).total_seconds())
    return failures["of_pair"]


def _count_failure(pair, address):
    """Notes one failure and removes a few that are too old to matter.

    :raises Throttled: parallel failures have used up the tries; this one is not counted.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # There is no row to lock before the first failure. SQLite's transactions wait for each other anyway.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(pair[:15], 16)])
        _refuse_who_waits(pair, address)
        LoginFailure.objects.create(pair=pair, address=address, at=timezone.now())
    with transaction.atomic():
        # More than one for each that is added, so that the table shrinks; what another process removes is left to it.
        old = LoginFailure.objects.filter(at__lte=timezone.now() - KEPT).order_by("at")
        old = old.select_for_update(skip_locked=True).values("pk")[:SWEPT_AT_ONCE]
        LoginFailure.objects.filter(pk__in=old).delete()
