"""`Authorization: JWT <token>`. This module imports no views: DRF's settings name it."""

from functools import lru_cache, partial

from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.utils import aware_utcnow

from accounts.models import User
from accounts.tokens import FINGERPRINT_CLAIM, StudentToken
from testpress.rows import Columns, read

TOKENS_REMEMBERED = 10_000

# What is asked about who sends a request; what shows more of a user reads it.
USER = Columns(User, "u", ["id", "username", "password", "is_active", "is_staff"])


def user_of(pk) -> User | None:
    """The user of that id, other columns deferred; nearly every request with a token asks."""
    found = read([USER], f"FROM {USER.table} WHERE u.id = %s", [pk])
    return found and found[0]


@lru_cache(TOKENS_REMEMBERED)
def token_of(raw: bytes) -> StudentToken:
    """The token, its signature checked: once in this process, since the same bytes are always signed by the same key.

    :raises TokenError: malformed, of another signature or kind, or expired; what is remembered may have expired since.
    """
    return StudentToken(raw)


@lru_cache(TOKENS_REMEMBERED)
def fingerprint_of(password: str) -> str:
    """What the tokens of a user with this password (its hash) carry."""
    return User(password=password).get_session_auth_hash()


class TokenAuthentication(JWTAuthentication):
    """A token's user, read from the database at each request, so that a token can be ended at once.

    Or the token's `Bearer`, for views that confirm them themselves (`LEFT_TO_THE_VIEW`).

    :raises AuthenticationFailed: malformed, expired, or of a user who is gone, inactive or has a new password.
    """

    def __init__(self, *, confirming=True):
        super().__init__()
        self.confirming = confirming

    def get_validated_token(self, raw_token):
        try:
            token = token_of(raw_token)
            token.check_exp(current_time=aware_utcnow())
        except TokenError:
            raise AuthenticationFailed("The token is invalid or expired.") from None
        return token

    def get_user(self, validated_token):
        bearer = Bearer(validated_token)
        return bearer.confirmed() if self.confirming else bearer


LEFT_TO_THE_VIEW = partial(TokenAuthentication, confirming=False)


class Bearer:
    """Whom a request's token names, as long as nobody has looked whether they may still use it.

    For calls that read the user's row together with what they are about, and confirm the bearer by it before they do or
    tell anything.
    """

    is_authenticated = True

    def __init__(self, token: StudentToken):
        self.pk = token.get("user_id")
        self.fingerprint = str(token.get(FINGERPRINT_CLAIM))

    def confirmed(self, user: User | None = None) -> User:
        """The user; `user` where their row has been read already.

        :raises AuthenticationFailed: they are gone, inactive or have a new password.
        """
        if user is None:
            user = user_of(self.pk)
        if (
            user is None
            or not user.is_active
            or user.pk != self.pk
            or not constant_time_compare(self.fingerprint, fingerprint_of(user.password))
        ):
            raise AuthenticationFailed("The token is invalid or expired.")
        return user


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes the header."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The token from `auth-token/`, written as `JWT <token>`. This page adds `JWT` by itself.",
        }
