"""The comparer of shapes itself: it takes what is documented, and it finds each kind of slip."""

import copy

import pytest

from tests.contract import shape
from tests.contract.shape import ATTEMPT, EXAM, ITEM, POST, PRODUCT, PROFILE, USER, differences, example, kind

TABLES = {
    "attempt": ATTEMPT,
    "attempt_end": ATTEMPT,
    "attempt_question_update": ITEM,
    "attempt_questions": ITEM,
    "attempt_review": ITEM,
    "attempt_start": ATTEMPT,
    "attempts": ATTEMPT,
    "auth_token": {},
    "exam": EXAM,
    "exams": EXAM,
    "exams_available": EXAM,
    "exams_history": EXAM,
    "exams_upcoming": EXAM,
    "me": USER,
    "post": POST,
    "posts": POST,
    "product": PRODUCT,
    "products": PRODUCT,
    "user": USER,
    "user_update": PROFILE,
}


def test_every_example_is_there():
    """Each documented answer has its table here, and each table its answer."""
    assert {file.stem for file in shape.EXAMPLES.glob("*.json")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_an_example_has_its_own_shape(name):
    """Also the later elements of its lists are like the first, so that a table is no narrower than the document."""
    assert differences(example(name), example(name), TABLES[name]) == []


def leaves(value, path=()):
    """The paths of all that is neither object nor list."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(document, path, value):
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize("name", TABLES)
def test_a_value_of_another_type_is_found_wherever_it_is(name):
    """Every single value is looked at: replaced by a list, and by a text of no known format's, it is a difference."""
    documented = example(name)
    for path in leaves(documented):
        assert len(differences(documented, changed(documented, path, [1]), TABLES[name])) == 1, path
        assert len(differences(documented, changed(documented, path, {}), TABLES[name])) == 1, path


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_and_a_strange_key_are_found_wherever_they_are(name):
    documented = example(name)
    for path in leaves(documented):
        *outer, key = path
        inner = holder = copy.deepcopy(documented)
        for step in outer:
            inner = inner[step]
        if not isinstance(inner, dict):
            continue
        del inner[key]
        assert [d for d in differences(documented, holder, TABLES[name]) if d.endswith(f"without {key}")]
        inner[key] = None
        inner["is_correct"] = True
        assert [d for d in differences(documented, holder, TABLES[name]) if "has is_correct" in d]


@pytest.mark.parametrize(
    ("documented", "answer"),
    [
        (1, 1.0),
        (1, "1"),
        (1, True),
        (False, 0),
        (False, None),
        (None, ""),
        ("", None),
        ("", "text"),
        ("2.00", 2.0),
        ("2.00", "2.0"),
        ("2.00", "2"),
        ("0:30:30", "00:30:30.5"),
        ("0:30:30", "1 day, 2:00:00"),
        ("0:30:30", "30:30"),
        ("2015-10-07T06:00:07Z", "2015-10-07T06:00:07.123Z"),
        ("2015-10-07T06:00:07Z", "2015-10-07T06:00:07+00:00"),
        ("2015-07-14T05:16:12.086Z", "2015-07-14T05:16:12Z"),
        ("2015-07-14T05:16:12.086Z", "2015-07-14T05:16:12.086123Z"),
        ("2013-08-02T17:25:22+05:30", "2013-08-02T11:55:22Z"),
        ("2013-08-02T17:25:22+05:30", "2013-08-02T17:25:22"),
        ("http://a.example/api/v2.1/exams/x/", "http://a.example/api/v2.1/exams/x"),
        ("http://a.example/api/v2.1/exams/x/", "/api/v2.1/exams/x/"),
        ("http://a.example/api/v2.1/exams/?page=2", "http://a.example/api/v2.1/exams/"),
        ("1", ""),
        ([1], 1),
        ([1], ["1"]),
        ([1], [1, None]),
        ([], [1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": "1"}}),
        ({"a": {"b": 1}}, {"a": None}),
    ],
)
def test_a_slip_is_found(documented, answer):
    assert len(differences(documented, answer, {})) == 1


def test_a_table_allows_what_it_names_and_nothing_else():
    """Kinds are added to one key of one sort of object."""
    documented = {"rank": "NA", "exam": {"rank": 1}}

    assert differences(documented, {"rank": 4, "exam": {"rank": 1}}, ATTEMPT) == []
    assert len(differences(documented, {"rank": "4", "exam": {"rank": 1}}, ATTEMPT)) == 1
    assert len(differences(documented, {"rank": "NA", "exam": {"rank": "NA"}}, ATTEMPT)) == 1


def test_differences_tell_where_they_are():
    """A line names the path, what is there, and what may be."""
    documented = {"count": 1, "results": [{"id": 1, "review": None}]}

    assert differences(documented, {"count": 1, "results": [{"id": 2, "review": 0}]}, ITEM) == [
        "answer.results[0].review: integer 0, not boolean or null"
    ]


def test_kind_of_texts():
    assert [kind(text) for text in ("", "-0.25", "80", "26:00:00", "20 days, 3:58:48.044696", "NA", "a\nb")] == [
        "empty text",
        "decimal",
        "whole number",
        "clock",
        "time spent",
        "NA",
        "text",
    ]
