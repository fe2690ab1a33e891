"""The canonical text of a signed request, and its signature: plain values in, plain values out.

The text has every parameter of the request: those of the path, of the query string and of the body (JSON, form or
multipart), but neither `signature` nor files, whatever a file's part is called. Sorted by name (by code point), each
is written `name=value`, and they are joined with `?`:

    exam_id=1?limit=2?nonce=17?timestamp=1527500365052

A value stands there as it is, nothing in it is encoded or escaped: `+`, `%`, `=`, `?`, `&`, blanks, line breaks and
letters of any script are themselves. What "as it is" means depends on where the value comes from:

- path, query string, form: the text after decoding once. `%2B` is a plus sign and, but in the path, `+` is a blank.
  `a` and `a=` are both the empty text. Bytes that are no UTF-8 are U+FFFD.
- multipart: the part's content. A part without a file name, or with an empty one, is no file.
- JSON, a string: its characters, after the escapes of JSON (`"\\u00e9"` is `é`).
- JSON, anything else: its JSON text as it was written in the body, without the blanks around it. So `1`, `1.0` and
  `1e0` are three texts, and so are `[1,2]` and `[1, 2]`; `true`, `false` and `null` are those words; inside a list or
  an object strings keep their quotes and escapes. Nested values are not taken apart.

A name that comes several times counts once, if its value is the same text each time; otherwise the request is refused
(`Ambiguous`). The names of a JSON body are those of its outermost object; a body that is none is refused.

Joining without escapes means that one text may be that of two different requests: `a` of `1?b=2` reads like `a` of `1`
with `b` of `2`. The protocol has it so. It is harmless here, because every parameter that the API reads is a number.

The signature is the HMAC-SHA256 of the text in UTF-8, keyed with the secret in UTF-8, as 64 lower-case hex digits.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

SIGNATURE = "signature"
MOST_FIELDS = 1000

_BLANKS = re.compile(r"[ \t\n\r]*")


class Ambiguous(ValueError):
    """A name comes with different values."""


class Unreadable(ValueError):
    """The body is not what its type says."""


def merged(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; the same pair may come several times.

    :raises Ambiguous: a name comes with different values.
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if parameters.setdefault(name, value) != value:
            raise Ambiguous(name)
    return parameters


def canonical_text(parameters: dict[str, str]) -> str:
    """What is signed; `signature` is left out."""
    return "?".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != SIGNATURE)


def signature(secret: str, text: str) -> str:
    """The text's signature: 64 hex digits.

    :raises UnicodeEncodeError: the text has half of a surrogate pair, which JSON can write and UTF-8 cannot.
    """
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_signed(secret: str, parameters: dict[str, str]) -> bool:
    """Whether `parameters["signature"]` is that of the others; takes as long whatever the difference."""
    given = parameters.get(SIGNATURE, "")
    try:
        expected = signature(secret, canonical_text(parameters))
        return hmac.compare_digest(expected.encode(), given.encode())
    except UnicodeEncodeError:
        return False


# --- Where parameters come from --------------------------------------------------------------------------------------


def form_pairs(text: str) -> list[tuple[str, str]]:
    """The parameters of a query string, or of a body of type `application/x-www-form-urlencoded`.

    :raises Unreadable: they are too many.
    """
    try:
        return parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unreadable(f"More than {MOST_FIELDS} parameters.") from None


def json_pairs(body: bytes) -> list[tuple[str, str]]:
    """The parameters of a JSON body: its outermost object's names with the texts of their values.

    :raises Unreadable: the body is no JSON, or no object.
    """
    try:
        return list(_object_pairs(body.decode()))
    except (ValueError, IndexError, RecursionError):  # the index: the text ends too early
        raise Unreadable("The body is no JSON object.") from None


def _refuse(constant):
    raise ValueError(constant)  # NaN and Infinity, which are Python's, not JSON's


# Numbers stay text: Python refuses those of some thousand digits.
_VALUE = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def _object_pairs(text):
    place = _after_blanks(text, _expect(text, _after_blanks(text, 0), "{"))
    if text[place] != "}":
        while True:
            name, place = _VALUE.raw_decode(text, _expect(text, place, '"') - 1)
            place = _expect(text, _after_blanks(text, place), ":")
            start = _after_blanks(text, place)
            value, end = _VALUE.raw_decode(text, start)
            yield name, value if text[start] == '"' else text[start:end]
            place = _after_blanks(text, end)
            if text[place] == "}":
                break
            place = _after_blanks(text, _expect(text, place, ","))
    if _after_blanks(text, place + 1) != len(text):
        raise ValueError("more than one value")


def _after_blanks(text, place):
    return _BLANKS.match(text, place).end()


def _expect(text, place, character):
    """The place after `character`, which stands at `place`."""
    if text[place] != character:
        raise ValueError(character)
    return place + 1
