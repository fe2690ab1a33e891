"""Compares a JSON answer with a documented one: the same keys in the same order, and values of the same kind.

What a value's kind is follows from the documented value: its JSON type, and for a text its format, since published
clients parse times and numbers with exactly the documented patterns. Where one example cannot show all that the
contract allows (a `null` that may be a time), the tables below add the other kinds.
"""

import json
import re
from pathlib import Path

EXAMPLES = Path(__file__).parent / "examples"

# The first that fits the whole of a text is its kind.
FORMATS = {
    "empty text": r"",
    "decimal": r"-?\d+\.\d\d",
    "whole number": r"\d+",
    "clock": r"\d+:[0-5]\d:[0-5]\d",
    "time spent": r"(\d+ days?, )?\d+:[0-5]\d:[0-5]\d(\.\d{6})?",
    "date": r"\d{4}-\d\d-\d\d",
    "UTC seconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "UTC milliseconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "institute seconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "institute milliseconds": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d",
    "page": r"https?://[^/]+/api/v2\.1/[^?]*/\?(.*&)?page=\d+(&.*)?",
    "API address": r"https?://[^/]+/api/v2\.1/([^?]*/)?",
    "address": r"https?://[^/]+/.+",
    "NA": r"NA",
    "text": r"(?s).+",
}

_TEXT = {"text", "empty text", "whole number"}
_INTEGER_OR_NULL = {"integer", "null"}
_PICTURE = {"address", "empty text"}
_INSTITUTE_TIME = {"institute seconds", "institute milliseconds", "null"}
_UTC_TIME = {"UTC seconds", "UTC milliseconds", "null"}

# The first page is asked for without `page`.
ENVELOPE = {"next": {"page", "null"}, "previous": {"page", "API address", "null"}}
USER = {
    **dict.fromkeys(["first_name", "last_name", "address1", "address2", "city", "zip", "phone", "state"], _TEXT),
    "email": {"text", "empty text"},
    **dict.fromkeys(["photo", "large_image", "medium_image", "small_image", "x_small_image", "mini_image"], _PICTURE),
    "birth_date": {"date", "null"},
    "gender": {"text", "null"},
}
PROFILE = USER | dict.fromkeys(
    ["gender", "state_choices", "x_offset", "y_offset", "crop_height", "crop_width"], _INTEGER_OR_NULL
)
EXAM = {
    "description": _TEXT,
    "start_date": {"institute seconds", "institute milliseconds"},
    "end_date": _INSTITUTE_TIME,
    "max_retakes": {"integer", "null"},
    "rank_publishing_date": _UTC_TIME,
    "created": {"UTC seconds", "UTC milliseconds"},
}
ATTEMPT = {
    "percentile": {"integer", "number"},
    "rank": {"integer", "NA"},
    "remaining_attempts": {"integer", "null"},
}
QUESTION = {"direction": {"text", "null"}, "explanation_html": {"text", "empty text"}}
ANSWER = {"is_correct": {"boolean", "null"}}
ITEM = {
    "duration": {"time spent", "clock", "null"},
    "essay_text": {"text", "empty text", "null"},
    "essay_topic": {"integer", "null"},
    "review": {"boolean", "null"},
}
PRODUCT = {
    "image": _PICTURE,
    "start_date": _INSTITUTE_TIME,
    "end_date": _INSTITUTE_TIME,
    "description": _TEXT,
}
NOTE = {"description": _TEXT, "attachment": _PICTURE}
POST = {"summary": _TEXT, "content_html": {"text", "empty text"}}

# The tables of objects inside others, by their key.
INSIDE = {
    "exam": EXAM,
    "exams": EXAM,
    "attempts": ATTEMPT,
    "question": QUESTION,
    "answers": ANSWER,
    "created_by": USER,
    "category": {},
    "notes": NOTE,
}

# What a list that is empty in its example would hold.
ELEMENTS = {"essay_topics": {"id": 1, "title": "A topic"}, "selected_answers": 129}


def example(name):
    """The documented answer, of which nobody else holds a copy."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def kind(value):
    """`null`, `boolean`, `integer`, `number`, `list`, `object`, or a text's format."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case list():
            return "list"
        case dict():
            return "object"
    return next(name for name, pattern in FORMATS.items() if re.fullmatch(pattern, value))


def differences(documented, answer, table):
    """Where `answer` is not of the documented shape, one line each; `table` holds what else its keys may be."""
    return list(_differences(documented, answer, ENVELOPE | table, "answer", None))


def _differences(documented, answer, table, path, key):
    allowed = {kind(documented)} | table.get(key, set())
    if kind(answer) not in allowed:
        yield f"{path}: {kind(answer)} {answer!r}, not {' or '.join(sorted(allowed))}"
    elif isinstance(answer, dict):
        yield from _object_differences(documented, answer, INSIDE.get(key, table), path)
    elif isinstance(answer, list):
        if answer and not documented and key not in ELEMENTS:
            yield f"{path}: nothing is documented for what it holds"
            return
        element = documented[0] if documented else ELEMENTS.get(key)
        for place, found in enumerate(answer):
            yield from _differences(element, found, table, f"{path}[{place}]", key)


def _object_differences(documented, answer, table, path):
    for name in documented.keys() - answer.keys():
        yield f"{path}: without {name}"
    for name in answer.keys() - documented.keys():
        yield f"{path}: has {name}, which is not documented"
    if answer.keys() == documented.keys() and list(answer) != list(documented):
        yield f"{path}: in the order {', '.join(answer)}"
    for name in documented:
        if name in answer:
            yield from _differences(documented[name], answer[name], table, f"{path}.{name}", name)
