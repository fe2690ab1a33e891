"""How answers are written."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rest_framework import renderers

from testpress.renderers import JSONRenderer
from tests.conftest import Api, make_exam

ANSWERS = [
    {
        "text": 'Zürich – \u2028 "quoted" <b> 🎓',
        "none": None,
        "numbers": [0, -1, 2**53, 12.5, 100.0],
        "nested": {"a": []},
    },
    [{"at": datetime(2026, 3, 2, 6, 30, tzinfo=UTC), "mark": Decimal("1.50")}],
    [],
]


@pytest.mark.parametrize("data", ANSWERS)
def test_an_answer_says_what_the_standard_library_would(data):
    assert json.loads(JSONRenderer().render(data)) == json.loads(renderers.JSONRenderer().render(data))


def test_no_answer_is_no_bytes():
    assert JSONRenderer().render(None) == b""


def test_a_client_may_ask_for_an_indent(asha):
    make_exam()
    api = Api(asha)
    plain = api.get("exams/")
    indented = api.get("exams/", HTTP_ACCEPT="application/json; indent=4")
    assert indented == plain
    assert b'\n    "count": 1' in api.response.content
