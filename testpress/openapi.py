"""What the OpenAPI schema says of errors: the shapes that `testpress/exceptions.py` answers with."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

DETAIL = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
RULE = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Which rule forbids it: a fixed word. Left out where none does."},
    },
    "required": ["detail"],
}
BY_FIELD = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}

ERRORS = {
    400: (BY_FIELD, "What is wrong, by field or parameter.", {"non_field_errors": ["The request cannot be read."]}),
    401: (
        DETAIL,
        "No token, or one that is malformed, expired or ended.",
        {"detail": "Authentication credentials were not provided."},
    ),
    403: (
        RULE,
        "It exists, and is not for this user, or not now.",
        {"detail": "This is not available to you.", "code": "not_available"},
    ),
    404: (DETAIL, "There is no such thing.", {"detail": "Not found."}),
    413: (DETAIL, "The body is too large.", {"detail": "The request's body is too large."}),
    415: (DETAIL, "A media type that is not taken.", {"detail": 'Unsupported media type "text/plain" in request.'}),
    429: (DETAIL, "Too many requests; `Retry-After` tells the seconds to wait.", {"detail": "Request was throttled."}),
    503: (
        DETAIL,
        "Too busy, or without room for files, just now; `Retry-After` tells after how many seconds to try again.",
        {"detail": "The server is busy. Try again."},
    ),
}


def errors(*codes: int) -> dict[int, OpenApiResponse]:
    """The answers of these status codes, for the `responses` of `extend_schema`."""
    return {
        code: OpenApiResponse(schema, description, examples=[OpenApiExample("error", value=example)])
        for code, (schema, description, example) in ((code, ERRORS[code]) for code in codes)
    }
