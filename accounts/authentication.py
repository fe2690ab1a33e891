"""`Authorization: JWT <token>`. This module imports no views: DRF's settings name it."""

from django.utils.crypto import constant_time_compare
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from accounts.models import User
from accounts.tokens import FINGERPRINT_CLAIM
from testpress.rows import Columns, read

USER = Columns(User, "u")


def user_of(pk) -> User | None:
    """The active user of that id; every request with a token asks."""
    found = read([USER], f'FROM "{User._meta.db_table}" u WHERE u.id = %s AND u.is_active', [pk])
    return found and found[0]


class TokenAuthentication(JWTAuthentication):
    """A token's user, read from the database at each request, so that a token can be ended at once.

    :raises AuthenticationFailed: malformed, expired, or of a user who is gone, inactive or has a new password.
    """

    def get_validated_token(self, raw_token):
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken:
            raise AuthenticationFailed("The token is invalid or expired.") from None

    def get_user(self, validated_token):
        user = user_of(validated_token.get("user_id"))
        fingerprint = str(validated_token.get(FINGERPRINT_CLAIM))
        if user is None or not constant_time_compare(fingerprint, user.get_session_auth_hash()):
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
