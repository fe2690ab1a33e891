import pytest
from django.core.exceptions import ValidationError

from catalog.models import validate_types


@pytest.mark.parametrize("types", [[], ["Books"], ["E-books", "Exams", "Classroom Program", "Books"]])
def test_known_types(types):
    validate_types(types)


@pytest.mark.parametrize(
    "types", [["Films"], ["books"], "Books", {"Books": 1}, [["Books"]], [None], ["Books", "Books"]]
)
def test_other_types(types):
    with pytest.raises(ValidationError):
        validate_types(types)
