"""Requests signed with an API credential: `Authorization: Token token=<key>` and the parameter `signature`.

What is signed is told in `accounts/signing.py`. This module imports no views.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.permissions import BasePermission

from accounts import credentials, signing
from accounts.models import ApiCredential, User
from testpress.exceptions import BodyTooLarge

HEADER = re.compile(r'token\s+token=("?)([A-Za-z0-9_-]{1,64})\1\s*', re.IGNORECASE)
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
LONGEST_NONCE = 64
MILLISECONDS = re.compile(r"[0-9]{1,14}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How far the clock of the sender may be ahead.
AHEAD = timedelta(minutes=5)
# How much of a body's end is kept, to see whether the multipart's last boundary (70 characters at most) is there.
TAIL = 512


@dataclass(frozen=True)
class SignedRequest:
    """`request.auth` of a signed request: its credential, and its parameters' texts by name."""

    credential: ApiCredential
    parameters: dict[str, str]


class SignedRequestAuthentication(BaseAuthentication):
    """The user of the credential that signed the request, with a `SignedRequest`.

    The key is looked up before anything of the body is read. The nonce is used up as soon as the signature is found
    right, whatever comes of the request.

    Of the view it asks `upload_handlers(user)`: Django's upload handlers for the files of a multipart body, whose
    sizes they bound themselves; and `body_limit(is_multipart)`: bytes.

    :raises AuthenticationFailed: something of it is missing, malformed or wrong; the answer does not say what.
    :raises BodyTooLarge: the key is good, and the body is over the limit.
    :raises UnsupportedMediaType: the request is signed, but its body has no parameters.
    """

    def authenticate(self, request):
        credential = _credential(request)
        unsupported = None
        try:
            pairs = [*_path_pairs(request), *_query_pairs(request)]
            try:
                pairs += _body_pairs(request, credential.user)
            except UnsupportedMediaType as error:
                unsupported = error
            parameters = signing.merged(pairs)
            signed = signing.is_signed(credentials.secret_of(credential), parameters)
        except (signing.Ambiguous, signing.Unreadable, credentials.SecretUnreadable):
            raise AuthenticationFailed from None
        if not (signed and _is_first(credential, parameters)):
            raise AuthenticationFailed
        if unsupported:
            raise unsupported
        return credential.user, SignedRequest(credential, parameters)


class HasRight(BasePermission):
    """Staff with the permission that the view's `rights` name for the method, and superusers."""

    def has_permission(self, request, view):
        return has_right(request.user, view.rights.get(request.method))


def has_right(user: User, permission: str | None) -> bool:
    """Whether `user` may do what needs `permission`; None: what no method does, which all staff may hear."""
    return user.is_active and (
        user.is_superuser or (user.is_staff and (permission is None or user.has_perm(permission)))
    )


class _Parser(MultiPartParser):
    """Django's, but for file names: it drops a file whose name is `..`; which names are good, the handlers say."""

    def sanitize_file_name(self, file_name):
        return file_name


class SkipFiles(FileUploadHandler):
    """Reads over files."""

    def new_file(self, *args, **kwargs):
        raise SkipFile

    def receive_data_chunk(self, raw_data, start):
        return None

    def file_complete(self, file_size):
        return None


def _credential(request):
    header = HEADER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    found = header and ApiCredential.objects.live().select_related("user").filter(key=header[2]).first()
    if not found:
        raise AuthenticationFailed
    return found


def _is_first(credential, parameters):
    """Whether the timestamp is of our time and the nonce is new; then it is used up."""
    timestamp, nonce = parameters.get("timestamp", ""), parameters.get("nonce", "")
    if not MILLISECONDS.fullmatch(timestamp) or len(nonce) > LONGEST_NONCE or not NUMBER.fullmatch(nonce):
        return False
    now, sent = timezone.now(), EPOCH + timedelta(milliseconds=int(timestamp))
    expires = sent + credentials.NONCE_LIFETIME
    return sent <= now + AHEAD and now <= expires and credentials.use_nonce(credential, nonce, expires=expires, now=now)


# --- Reading the parameters ------------------------------------------------------------------------------------------


def _path_pairs(request):
    return list(request.parser_context["kwargs"].items())


def _query_pairs(request):
    # WSGI hands bytes over as Latin-1.
    return signing.form_pairs(
        request.META.get("QUERY_STRING", "").encode("latin-1", "replace").decode(errors="replace")
    )


def _body_pairs(request, user):
    media_type = request.content_type.partition(";")[0].strip().lower()
    is_multipart = media_type == "multipart/form-data"
    view = request.parser_context["view"]
    body = _Body(request, view.body_limit(is_multipart))
    if body.is_empty:
        return []
    try:
        if is_multipart:
            return _multipart_pairs(request, body, view.upload_handlers(user))
        if media_type == "application/json" or media_type.endswith("+json"):
            return signing.json_pairs(body.read_all())
        if media_type == "application/x-www-form-urlencoded":
            return signing.form_pairs(body.read_all().decode(errors="replace"))
    except RequestDataTooBig:
        raise BodyTooLarge from None
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation):  # the last: too many fields or files
        raise signing.Unreadable from None
    raise UnsupportedMediaType(media_type)


def _multipart_pairs(request, body, handlers):
    parser = _Parser(request.META | {"CONTENT_LENGTH": body.limit}, body, handlers or [SkipFiles()])
    fields, _ = parser.parse()
    # Django takes the end of what arrived for the end of a file.
    if not body.ends_with(b"--" + parser._boundary + b"--"):
        raise signing.Unreadable
    return [(name, value) for name, values in fields.lists() for value in values]


class _Body:
    """The request's body as it arrives, counted.

    :raises BodyTooLarge: it is longer than `limit` bytes, or says so.
    """

    def __init__(self, request, limit):
        self.limit, self.count, self.tail = limit, 0, b""
        chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        length = request.META.get("CONTENT_LENGTH") or "0"
        self.length = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
        if self.length > limit:
            raise BodyTooLarge
        self.stream = request._request
        if chunked and not self.length and request.META.get("wsgi.input_terminated"):
            # Django reads as far as the length, and so nothing.
            self.length, self.stream = None, request.META["wsgi.input"]
        self.is_empty = self.length == 0

    def read(self, size=-1):
        try:
            data = self.stream.read(size)
        except OSError as error:
            raise UnreadablePostError(*error.args) from error
        self.count += len(data)
        if self.count > self.limit:
            raise BodyTooLarge
        self.tail = (self.tail + data[-TAIL:])[-TAIL:]
        if not data and size and self.length is not None and self.count < self.length:
            raise UnreadablePostError("The body was cut off.")
        return data

    def read_all(self):
        found = []
        while data := self.read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE):
            found.append(data)
        return b"".join(found)

    def ends_with(self, end):
        return end in self.tail


class SignedRequestScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = SignedRequestAuthentication
    name = "signed request"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The key of an API credential, as `Token token=<key>`; its secret signs the parameters.",
        }
