"""What is written by hand has the keys, in the order, that the schema's fields name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from attempts import serializers
from tests.conftest import make_exam, make_question

PLACES = {
    "exams/": ("results", serializers.ExamSerializer),
    "exams/general-studies/": (None, serializers.ExamDetailSerializer),
    "exams/general-studies/attempts/": ("results", serializers.OwnAttemptSerializer),
    "attempts/": ("results", serializers.AttemptHistorySerializer),
    "attempts/{id}/": (None, serializers.AttemptSerializer),
    "attempts/{id}/review/": ("results", serializers.ReviewItemSerializer),
}


def assert_keys(serializer, written):
    assert list(written) == list(serializer.fields)
    for name, field in serializer.fields.items():
        many = getattr(field, "child", None)
        if hasattr(many, "fields"):
            assert written[name] != []
            for entry in written[name]:
                assert_keys(many, entry)
        elif hasattr(field, "fields"):
            assert_keys(field, written[name])


@pytest.mark.parametrize("path", PLACES)
def test_answers_have_the_keys_of_their_fields(sit, path):
    key, serializer = PLACES[path]
    sitting = sit(make_exam(questions=[make_question("R")]))
    sitting.put("end/")

    answer = sitting.api.get(path.format(id=sitting.id))

    written = answer[key][0] if key else answer
    instance = serializer()
    if path.endswith("review/"):
        written["question"]["essay_topics"] = [{"id": 1, "title": ""}]  # an essay has no answers in their place
    assert_keys(instance, written)


def test_a_sheet_under_way_has_the_keys_of_its_fields(sit):
    sitting = sit(make_exam(questions=[make_question("R")]))
    [item] = sitting.items()
    item["question"]["essay_topics"] = [{"id": 1, "title": ""}]

    assert_keys(serializers.SittingItemSerializer(), item)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3), st.lists(st.integers())
)
choices = st.one_of(st.lists(st.one_of(st.integers(), anything), max_size=4), anything)


@given(
    st.one_of(
        st.fixed_dictionaries({}, optional={"selected_answers": choices, "review": anything, "essay_text": anything}),
        anything,
    )
)
def test_what_nearly_all_saves_send_is_read_as_the_serializer_would(data):
    def read(how):
        try:
            return how(data)
        except ValidationError as error:
            return error.detail

    assert read(serializers.read_answer) == read(serializers.ANSWERS[False].run_validation)


def test_a_selection_that_is_too_long_is_refused():
    many = list(range(serializers.LONGEST_SELECTION + 1))
    assert serializers.read_answer({"selected_answers": many[:-1]}) == {"selected_answers": many[:-1]}
    with pytest.raises(ValidationError):
        serializers.read_answer({"selected_answers": many})
