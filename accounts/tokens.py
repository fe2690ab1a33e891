"""The token a student's client carries."""

from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User

FINGERPRINT_CLAIM = "key"


class StudentToken(AccessToken):
    """A JWT with `username`, `user_id` (an integer), `email` and `exp`, and a fingerprint of the password.

    The fingerprint (Django's session hash: an HMAC, not the password's own hash) ends the token when the password
    changes.
    """

    @classmethod
    def for_user(cls, user: User):
        token = cls()
        token["username"] = user.username
        token["user_id"] = user.pk
        token["email"] = user.email
        token[FINGERPRINT_CLAIM] = user.get_session_auth_hash()
        return token
