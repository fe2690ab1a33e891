from datetime import UTC, datetime, timedelta

import pytest

from tests.catalog.conftest import make_note, make_picture, make_product
from tests.conftest import NOW, Api, make_exam


@pytest.fixture(autouse=True)
def _at_now(at):
    at(NOW)


def test_list_shows_all_of_a_product(asha):
    product = make_product(
        "Free IAS Prelims Power Pack",
        categories=["TNPSC", "IAS"],
        exams=[make_exam("Published", questions=()), make_exam("Draft", questions=(), published=False)],
        start_date=datetime(2014, 12, 31, 18, 30, tzinfo=UTC),
        end_date=datetime(2031, 12, 30, 18, 30, tzinfo=UTC),
    )
    make_note(product, "One")
    make_note(product, "Two")
    second, first = make_picture(product, order=2), make_picture(product, order=1)

    assert Api(asha).get("products/") == {
        "count": 1,
        "next": None,
        "previous": None,
        "per_page": 20,
        "results": [
            {
                "id": product.pk,
                "url": "http://localhost/api/v2.1/products/free-ias-prelims-power-pack/",
                "title": "Free IAS Prelims Power Pack",
                "slug": "free-ias-prelims-power-pack",
                "image": f"http://localhost/media/{first.original}",
                "images": [
                    {
                        "original": f"http://localhost/media/{picture.original}",
                        "medium": f"http://localhost/media/{picture.medium}",
                        "small": f"http://localhost/media/{picture.small}",
                    }
                    for picture in (first, second)
                ],
                "start_date": "2015-01-01T00:00:00+05:30",
                "end_date": "2031-12-31T00:00:00+05:30",
                "categories": ["IAS", "TNPSC"],
                "types": ["E-books", "Exams"],
                "exams_count": 1,
                "notes_count": 2,
                "price": "1.00",
            }
        ],
    }


def test_list_shows_a_bare_product(asha):
    product = make_product("Bare", categories=(), types=[], price=0)

    assert Api(asha).get("products")["results"] == [
        {
            "id": product.pk,
            "url": "http://localhost/api/v2.1/products/bare/",
            "title": "Bare",
            "slug": "bare",
            "image": "",
            "images": [],
            "start_date": None,
            "end_date": None,
            "categories": [],
            "types": [],
            "exams_count": 0,
            "notes_count": 0,
            "price": "0.00",
        }
    ]


def test_list_keeps_the_documented_order_of_keys(asha):
    make_product()
    [shown] = Api(asha).get("products/")["results"]

    assert list(shown) == (
        "id url title slug image images start_date end_date categories types exams_count notes_count price".split()
    )


def test_list_has_what_is_on_sale(asha, teacher):
    """Active, and the institute's day (NOW is noon there) from the start's day to the end's."""
    second, day = timedelta(seconds=1), timedelta(days=1)
    midnight = NOW - timedelta(hours=12)
    make_product("Always")
    make_product("Since this evening", start_date=midnight + day - second)
    make_product("Until this morning", end_date=midnight)
    make_product("Both", start_date=NOW - day, end_date=NOW + day)
    make_product("Withdrawn", active=False)
    make_product("From tomorrow", start_date=midnight + day)
    make_product("Until yesterday", end_date=midnight - second)

    assert titles(asha) == titles(teacher) == ["Both", "Until this morning", "Since this evening", "Always"]


@pytest.mark.parametrize("name", ["IBPS", "ibps", " IBPS "])
def test_category(asha, name):
    make_product("Banking", categories=["IBPS", "TNPSC"])
    make_product("Other", categories=["TNPSC", "IBPS PO"])
    make_product("None", categories=[])

    assert titles(asha, category=name) == ["Banking"]


@pytest.mark.parametrize("name", ["IBP", "%", "ib_s", "x" * 100_000])
def test_category_that_nobody_has(asha, name):
    make_product("Banking", categories=["IBPS"])

    assert Api(asha).get("products/", {"category": name}) == {
        "count": 0,
        "next": None,
        "previous": None,
        "per_page": 20,
        "results": [],
    }


def test_category_with_a_nul(asha):
    assert Api(asha).get("products/", {"category": "a\0b"}, status=400) == {
        "category": ["Null characters are not allowed."]
    }


def test_the_last_of_a_repeated_category_counts(asha):
    make_product("Banking", categories=["IBPS"])
    make_product("Other", categories=["TNPSC"])

    assert [p["title"] for p in Api(asha).get("products/?category=IBPS&category=TNPSC")["results"]] == ["Other"]


def test_an_empty_category_filters_nothing(asha):
    make_product(categories=[])

    assert titles(asha, category="") == ["Power Pack"]


def test_list_has_twenty_a_page(asha):
    for number in range(21):
        make_product(f"Product {number}")

    first = Api(asha).get("products/?category=tnpsc")
    last = Api(asha).get(first["next"])

    assert first["next"] == "http://localhost/api/v2.1/products/?category=tnpsc&page=2"
    assert (first["count"], len(first["results"]), first["results"][0]["title"]) == (21, 20, "Product 20")
    assert [product["title"] for product in last["results"]] == ["Product 0"]
    assert Api(asha).get("products/?page=3", status=404) == {"detail": "Invalid page."}


def test_list_needs_a_token(db):
    assert Api().get("products/", status=401) == {"detail": "Authentication credentials were not provided."}


def test_list_is_not_written_to(asha):
    assert Api(asha).post("products/", {"title": "Mine"}, status=405) == {"detail": 'Method "POST" not allowed.'}


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_for_any_number_of_products(asha, statements, rows):
    for number in range(rows):
        product = make_product(f"Product {number}", exams=[make_exam(f"Exam {number}", questions=())])
        for order in range(rows):
            make_picture(product, order=order)
            make_note(product, f"Note {number} {order}")
    api = Api(asha)
    api.get("products/")  # warms the institute's time zone

    with statements(4):  # the token's user, the products with counts, their categories, their pictures
        assert api.get("products/")["count"] == rows


def titles(user, **parameters):
    return [product["title"] for product in Api(user).get("products/", parameters)["results"]]
