"""What is written by hand has the keys, in the order, that the schema's fields name."""

import pytest

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
