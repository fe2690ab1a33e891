"""The canonical text and its signature, by fixed vectors. The digests were made with `openssl dgst -sha256 -hmac`."""

import pytest

from accounts.signing import (
    Ambiguous,
    Unreadable,
    canonical_text,
    form_pairs,
    is_signed,
    json_pairs,
    merged,
    signature,
)

EXAMPLE = {"exam_id": "1", "limit": "2", "nonce": "17", "timestamp": "1527500365052"}
EXAMPLE_TEXT = "exam_id=1?limit=2?nonce=17?timestamp=1527500365052"
EXAMPLE_SIGNATURE = "404969db9d748368b673fe56235b4dcc535e61b8ae8d33a584d546b2f7c45a52"


def test_the_worked_example():
    assert canonical_text(EXAMPLE) == EXAMPLE_TEXT
    assert signature("s3cret", EXAMPLE_TEXT) == EXAMPLE_SIGNATURE
    assert is_signed("s3cret", EXAMPLE | {"signature": EXAMPLE_SIGNATURE})


@pytest.mark.parametrize(
    "given",
    [
        "",
        EXAMPLE_SIGNATURE[:-1],
        EXAMPLE_SIGNATURE + "0",
        EXAMPLE_SIGNATURE.upper(),
        EXAMPLE_SIGNATURE + "\n",
        "0" * 64,
        "é" * 64,
        "\ud800",
        "\x00",
    ],
)
def test_any_other_signature_is_wrong(given):
    assert not is_signed("s3cret", EXAMPLE | {"signature": given})


def test_without_a_signature_nothing_is_signed():
    assert not is_signed("s3cret", EXAMPLE)


@pytest.mark.parametrize("change", [{"limit": "3"}, {"page": "1"}, {"nonce": "17 "}, {"Limit": "2"}])
def test_a_change_of_any_parameter_breaks_the_signature(change):
    assert not is_signed("s3cret", EXAMPLE | {"signature": EXAMPLE_SIGNATURE} | change)


@pytest.mark.parametrize("secret", ["s3cret ", "S3cret", ""])
def test_another_secret_makes_another_signature(secret):
    assert signature(secret, EXAMPLE_TEXT) != EXAMPLE_SIGNATURE


# --- The text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, ""),
        ({"signature": "x"}, ""),
        ({"a": ""}, "a="),
        ({"": "a"}, "=a"),
        ({"b": "1", "a": "2"}, "a=2?b=1"),
        ({"a_b": "1", "aB": "2", "a": "3", "B": "4", "a1": "5"}, "B=4?a=3?a1=5?aB=2?a_b=1"),
        ({"z": "1", "é": "2", "ü": "3", "தமிழ்": "4", "😀": "5", "\uffee": "6"}, "z=1?é=2?ü=3?தமிழ்=4?\uffee=6?😀=5"),
        ({"a": "1+1=2 & 100%"}, "a=1+1=2 & 100%"),
        ({"a": "?b=1?", "c": "%3F"}, "a=?b=1??c=%3F"),
        ({"a": "line\r\nbreak\ttab\x00nul"}, "a=line\r\nbreak\ttab\x00nul"),
        ({"a": " blank "}, "a= blank "),
        ({"Signature": "1", "signature ": "2"}, "Signature=1?signature =2"),
        ({"document": "text of that name"}, "document=text of that name"),
    ],
)
def test_the_text(parameters, text):
    assert canonical_text(parameters) == text


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "c9aa0ba82c3959fb40e2be8b8e2ff5941d9964437c93114d65f2fb4b1331aff3"),
        ("a=1+1=2 & 100%", "e6316e27d3dadc872c8ad092adca4ade775b58879de1c1c44cee27ebdf8b6509"),
        ("name=தமிழ் é 😀?nonce=5", "582f73f082b56a46b72d80add492e86159eed0d84d24acaf426ef6a30b4123df"),
        ('ids=[1, "a?b", {"c": null}]?nonce=5', "bc21570efb6566054a251f415967d0367eb257c98aa5244029c72bf4c71b33b5"),
    ],
)
def test_signatures(text, digest):
    assert signature("kéy", text) == digest


def test_half_a_surrogate_pair_has_no_signature():
    with pytest.raises(UnicodeEncodeError):
        signature("s3cret", "a=\ud800")
    assert not is_signed("s3cret", {"a": "\ud800", "signature": "0" * 64})


# --- Several times the same name -------------------------------------------------------------------------------------


def test_the_same_value_again_counts_once():
    assert merged([("exam_id", "1"), ("page", "2"), ("exam_id", "1")]) == {"exam_id": "1", "page": "2"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("exam_id", "1"), ("exam_id", "2")],
        [("exam_id", "1"), ("exam_id", "01")],
        [("exam_id", "1"), ("exam_id", "")],
        [("signature", "a"), ("signature", "b")],
        [("ids[]", "1"), ("ids[]", "2")],
    ],
)
def test_different_values_of_a_name_are_refused(pairs):
    with pytest.raises(Ambiguous):
        merged(pairs)


# --- Query strings and forms -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&a=1", [("a", "1"), ("a", "1")]),
        ("a", [("a", "")]),
        ("a=&=b", [("a", ""), ("", "b")]),
        ("&&a=1&", [("a", "1")]),
        ("a=b=c?d", [("a", "b=c?d")]),
        ("a=1+1&b=1%2B1&c=%2520", [("a", "1 1"), ("b", "1+1"), ("c", "%20")]),
        ("a=100%&b=%zz", [("a", "100%"), ("b", "%zz")]),
        ("%61=%C3%A9&b=é", [("a", "é"), ("b", "é")]),
        ("a=%ff", [("a", "\ufffd")]),
        ("a=1;b=2", [("a", "1;b=2")]),
        ("a=%0D%0A%00", [("a", "\r\n\x00")]),
    ],
)
def test_pairs_of_a_query_string_or_form(text, pairs):
    assert form_pairs(text) == pairs


def test_more_than_1000_pairs_are_refused():
    assert len(form_pairs("&".join(["a=1"] * 1000))) == 1000
    with pytest.raises(Unreadable):
        form_pairs("&".join(["a=1"] * 1001))


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("{}", []),
        (" \r\n\t{ } \n", []),
        ('{"a": "1", "b": 1}', [("a", "1"), ("b", "1")]),
        ('{"a":1.0,"b":1e0,"c":-0,"d":1E+2}', [("a", "1.0"), ("b", "1e0"), ("c", "-0"), ("d", "1E+2")]),
        ('{"a": true, "b": false, "c": null}', [("a", "true"), ("b", "false"), ("c", "null")]),
        ('{"a": "true", "b": ""}', [("a", "true"), ("b", "")]),
        ('{"a": [1,2], "b": [1, 2], "c": []}', [("a", "[1,2]"), ("b", "[1, 2]"), ("c", "[]")]),
        (
            '{"a": {"b": [1, {"c" : "\\u00e9"}]} , "d":["x?y=1","\\""]}',
            [("a", '{"b": [1, {"c" : "\\u00e9"}]}'), ("d", '["x?y=1","\\""]')],
        ),
        ('{"a": "\\u00e9\\n\\"\\\\\\/", "\\u0062": "+%=?&"}', [("a", 'é\n"\\/'), ("b", "+%=?&")]),
        ('{"a": "\\ud83d\\ude00 தமிழ்"}', [("a", "😀 தமிழ்")]),
        ('{"a": "\\u0000"}', [("a", "\x00")]),
        ('{"a": 1, "a": 2}', [("a", "1"), ("a", "2")]),
        ('{"": 1}', [("", "1")]),
        ('{"a": %s}' % ("9" * 5000), [("a", "9" * 5000)]),
        ('{"a": 1e999}', [("a", "1e999")]),
    ],
)
def test_pairs_of_json(body, pairs):
    assert json_pairs(body.encode()) == pairs


def test_half_a_surrogate_pair_is_read_and_never_signed():
    assert json_pairs(b'{"a": "\\ud800"}') == [("a", "\ud800")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b'"a"',
        b"1",
        b"null",
        b"{",
        b"{]",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1',
        b'{"a":1,}',
        b'{"a":1 "b":2}',
        b'{"a":1}x',
        b'{"a":1}{}',
        b"{a:1}",
        b"{1:1}",
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":[Infinity]}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"{" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(Unreadable):
        json_pairs(body)
