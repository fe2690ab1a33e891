from datetime import timedelta

import pytest

from tests.catalog.conftest import make_note, make_picture, make_product
from tests.conftest import NOW, Api, make_exam


@pytest.fixture(autouse=True)
def _at_now(at):
    at(NOW)


def test_one_shows_the_list_s_fields_and_what_is_in_it(asha):
    exam = make_exam("General Studies", created=NOW)
    draft = make_exam("Draft", published=False)
    product = make_product(exams=[exam, draft], description="<p>All of it.</p>", requires_shipping=True)
    polity = make_note(product, description="<p>Articles</p>")
    history = make_note(product, "History", attachment=None)
    make_picture(product)
    [listed] = Api(asha).get("products/")["results"]

    shown = Api(asha).get("products/power-pack/")

    assert shown == listed | {
        "description": "<p>All of it.</p>",
        "exams": [
            {
                "url": "http://localhost/api/v2.1/exams/general-studies/",
                "id": exam.pk,
                "title": "General Studies",
                "description": "",
                "course": "TNPSC",
                "start_date": "2026-03-02T11:00:00+05:30",
                "end_date": None,
                "duration": "0:30:00",
                "number_of_questions": 3,
                "negative_marks": "0.25",
                "mark_per_question": "1.00",
                "template_type": 1,
                "allow_retake": True,
                "max_retakes": None,
                "enable_ranks": False,
                "rank_publishing_date": None,
                "attempts_url": "http://localhost/api/v2.1/exams/general-studies/attempts/",
                "allow_pdf": False,
                "created": "2026-03-02T06:30:00Z",
                "slug": "general-studies",
                "variable_mark_per_question": False,
                "show_answers": True,
                "comments_count": 0,
            }
        ],
        "notes": [
            {
                "id": polity.pk,
                "url": "http://localhost/api/v2.1/products/power-pack/",
                "title": "Polity",
                "slug": "polity",
                "description": "<p>Articles</p>",
                "attachment": f"http://localhost/media/{polity.attachment}",
            },
            {
                "id": history.pk,
                "url": "http://localhost/api/v2.1/products/power-pack/",
                "title": "History",
                "slug": "history",
                "description": "",
                "attachment": "",
            },
        ],
        "requires_shipping": True,
    }
    assert list(shown) == [*listed, "description", "exams", "notes", "requires_shipping"]
    assert (shown["exams_count"], shown["notes_count"]) == (1, 2)


def test_one_answers_without_the_final_slash(asha):
    product = make_product()

    assert Api(asha).get("products/power-pack")["id"] == product.pk


def test_one_has_its_exams_in_the_order_of_exams(asha):
    """The latest start first, as in every list of exams."""
    early = make_exam("Early", questions=(), start_date=NOW - timedelta(days=2))
    late = make_exam("Late", questions=(), start_date=NOW - timedelta(days=1))
    make_product(exams=[early, late])

    assert [exam["title"] for exam in Api(asha).get("products/power-pack/")["exams"]] == ["Late", "Early"]


@pytest.mark.parametrize(
    "fields",
    [{"active": False}, {"start_date": NOW + timedelta(days=1)}, {"end_date": NOW - timedelta(days=1)}],
    ids=["inactive", "from tomorrow", "until yesterday"],
)
def test_one_that_is_not_on_sale_does_not_exist(asha, teacher, fields):
    make_product(**fields)

    for user in (asha, teacher):
        assert Api(user).get("products/power-pack/", status=404) == {"detail": "Not found."}


@pytest.mark.parametrize("slug", ["nothing", "POWER-PACK", "power-pack%0A", "a%00b", "%E0%AE%A4"])
def test_one_that_does_not_exist(asha, slug):
    make_product()

    assert list(Api(asha).get(f"products/{slug}/", status=404)) == ["detail"]


def test_one_needs_a_token(db):
    make_product()

    assert Api().get("products/power-pack/", status=401) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_one_is_not_written_to(asha, method):
    make_product()

    shown = getattr(Api(asha), method)("products/power-pack/", status=405)

    assert shown == {"detail": f'Method "{method.upper()}" not allowed.'}


@pytest.mark.parametrize("rows", [1, 3])
def test_one_costs_the_same_whatever_is_in_it(asha, statements, rows):
    product = make_product(
        categories=[f"Category {n}" for n in range(rows)],
        exams=[make_exam(f"Exam {n}", course=f"Course {n}") for n in range(rows)],
    )
    for order in range(rows):
        make_picture(product, order=order)
        make_note(product, f"Note {order}")
    api = Api(asha)
    api.get("products/power-pack/")  # warms the institute's time zone

    with statements(6):  # the token's user, the product, its categories, pictures, notes, and exams with courses
        assert len(api.get("products/power-pack/")["exams"]) == rows
