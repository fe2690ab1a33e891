"""API credentials: made, read, revoked; the only reader and writer of their secrets.

A secret is shown once, when it is made. It is kept encrypted, under keys derived from the setting CREDENTIAL_KEYS: the
first of them encrypts, each of them decrypts, so that they can be changed one after the other.
"""

import base64
import logging
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import ApiCredential, Nonce, User

logger = logging.getLogger(__name__)

# How long a nonce is kept after its request's timestamp, which is how old a request may be.
NONCE_LIFETIME = timedelta(hours=24)
# Rows of expired nonces that one request removes: more than it adds, so that the table shrinks.
SWEPT_AT_ONCE = 20
# Kept for longer than they count, for servers whose clocks are behind the one that sweeps.
SWEPT_AFTER = timedelta(hours=1)
LAST_USED_PRECISION = timedelta(minutes=1)


class SecretUnreadable(Exception):
    """None of CREDENTIAL_KEYS decrypts the secret."""


def create(user: User, name: str = "") -> tuple[ApiCredential, str]:
    """A new credential and its secret, which is to be shown now or never."""
    credential = ApiCredential(user=user, name=name)
    return credential, issue(credential)


def issue(credential: ApiCredential) -> str:
    """Gives a new credential its key and its secret and saves it; the secret, which is to be shown now or never."""
    secret = secrets.token_urlsafe(32)
    credential.key = secrets.token_urlsafe(16)
    credential.encrypted_secret = encrypted(secret)
    credential.save(force_insert=True)
    return secret


def encrypted(secret: str) -> str:
    return _cipher().encrypt(secret.encode()).decode()


def secret_of(credential: ApiCredential) -> str:
    """:raises SecretUnreadable: the key that encrypted it is none of CREDENTIAL_KEYS."""
    try:
        return _cipher().decrypt(credential.encrypted_secret.encode()).decode()
    except InvalidToken:
        logger.error("The secret of API credential %s was encrypted with none of CREDENTIAL_KEYS.", credential.pk)
        raise SecretUnreadable from None


def revoke(credentials, *, now: datetime) -> int:
    """Ends the credentials of a queryset at once and for good; how many were not ended before."""
    return credentials.filter(revoked=None).update(revoked=now)


def encrypt_anew() -> tuple[int, int]:
    """Encrypts all secrets with the first of CREDENTIAL_KEYS; how many, and how many none of them decrypts."""
    done = failed = 0
    with transaction.atomic():
        for credential in ApiCredential.objects.select_for_update().order_by("pk"):
            try:
                credential.encrypted_secret = encrypted(secret_of(credential))
            except SecretUnreadable:
                failed += 1
                continue
            credential.save(update_fields=["encrypted_secret"])
            done += 1
    return done, failed


def use_nonce(credential: ApiCredential, text: str, *, expires: datetime, now: datetime) -> bool:
    """Uses the nonce up, for good: whatever becomes of the request, this is committed. Whether it was still unused.

    :param expires: 24 hours after the request's timestamp; until then, that moment included, it is not good again.
    """
    try:
        # Durable: inside a transaction that fails later, the nonce would be unused again.
        with transaction.atomic(durable=True):
            Nonce.objects.filter(credential=credential, text=text, expires__lt=now).delete()
            Nonce.objects.create(credential=credential, text=text, expires=expires)
            if credential.last_used is None or credential.last_used <= now - LAST_USED_PRECISION:
                unnoted = Q(last_used=None) | Q(last_used__lt=now)
                ApiCredential.objects.filter(unnoted, pk=credential.pk).update(last_used=now)
    except IntegrityError:  # used already, or just now by another request; or the credential is gone
        return False
    _sweep(now)
    return True


def _sweep(now):
    old = Nonce.objects.filter(expires__lt=now - SWEPT_AFTER).order_by("expires")
    with transaction.atomic():
        # What another process is removing is left to it.
        old = old.select_for_update(skip_locked=True).values("pk")[:SWEPT_AT_ONCE]
        Nonce.objects.filter(pk__in=old).delete()


def _cipher() -> MultiFernet:
    return _cipher_of(tuple(settings.CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _cipher_of(keys):
    def key(text):
        # HKDF and its own purpose: the same SECRET_KEY signs sessions and tokens.
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"accounts.credentials").derive(text.encode())
        return Fernet(base64.urlsafe_b64encode(derived))

    return MultiFernet([key(text) for text in keys])
