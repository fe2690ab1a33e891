"""Typed errors of the rules, and the one handler that turns every error of the API into its JSON answer."""

import errno
import logging
import sys

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

logger = logging.getLogger(__name__)

# What writing a file fails with where the disk is full or may not be written to; nothing is wrong with the request.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


class RuleBroken(PermissionDenied):
    """A rule forbids the call: 403 with `detail` and the rule's `code`, a fixed word that a client can switch on."""

    code: str

    def __init__(self):
        super().__init__(self.default_detail, self.code)


class NotAvailable(RuleBroken):
    code = "not_available"
    default_detail = "This is not available to you."


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request's body is too large."
    default_code = "too_large"


class Busy(APIException):
    """503: not now, but `wait` seconds later; they become the header Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The server is busy. Try again."
    default_code = "busy"

    def __init__(self, wait=1):
        super().__init__()
        self.wait = wait


class NoRoom(Busy):
    default_detail = "Files cannot be stored at the moment. Try again later."

    def __init__(self):
        super().__init__(wait=60)


def handle(error, context):
    """DRF's exception handler, with the contract's shapes: see "Errors" there."""
    if isinstance(error, Http404):
        error = NotFound()  # whose words name no model
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation):  # such as more form fields than Django takes
        error = ParseError("The request's body cannot be read.")
    elif isinstance(error, OSError) and error.errno in NO_ROOM:
        logger.error("A file cannot be stored: %s", error)
        error = NoRoom()
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ParseError):
        response.data = {api_settings.NON_FIELD_ERRORS_KEY: [str(error.detail)]}
    elif isinstance(error, RuleBroken):
        response.data["code"] = error.code
    elif response.status_code == status.HTTP_400_BAD_REQUEST and isinstance(response.data, list):
        response.data = {api_settings.NON_FIELD_ERRORS_KEY: response.data}
    elif response.status_code == status.HTTP_400_BAD_REQUEST:
        response.data = {field: _sentences(errors) for field, errors in response.data.items()}
    elif isinstance(response.data, dict) and "detail" in response.data:
        response.data = {"detail": response.data["detail"]}
    return response


def _sentences(errors) -> list[str]:
    """The sentences about one field, each once; DRF nests those about the members of a list by their places."""
    if isinstance(errors, dict):
        errors = errors.values()
    elif isinstance(errors, str):
        return [errors]
    return list(dict.fromkeys(sentence for error in errors for sentence in _sentences(error)))


def handle_v3(error, context):
    """The handler of the signed API below /api/v3/, whose errors are `{"error": "…"}`; a 403 never says why."""
    response = handle(error, context)
    if response is None:
        return None
    if response.status_code == status.HTTP_403_FORBIDDEN:
        response.data = {"error": "You are not authorized to access this page."}
    else:
        [message] = response.data.values()
        response.data = {"error": message[0] if isinstance(message, list) else message}
    return response


def _json_error(request, status_code, detail):
    if request.path.startswith("/api/v3/"):
        return JsonResponse({"error": detail}, status=status_code)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": detail}, status=status_code)
    return None


def bad_request(request, exception=None):
    """handler400: what Django refuses before any view, such as a wrong Host header."""
    return _json_error(request, 400, "Bad request.") or defaults.bad_request(request, exception)


def server_error(request):
    """handler500; 503 where it is the database that cannot be reached or is too busy, which a retry may find mended."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = _json_error(request, 503, "The server is busy. Try again.")
        if response:
            response["Retry-After"] = "1"
            return response
    return _json_error(request, 500, "The server failed. Try again.") or defaults.server_error(request)
