import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from catalog.models import Category, Product
from tests.catalog.conftest import make_image, make_note, make_picture, make_product
from tests.conftest import make_exam


@pytest.fixture
def site(client, admin):
    client.force_login(admin)
    return client


def form(*, pictures=(), notes=(), **fields):
    """What the page of a product sends; `pictures` and `notes` hold the fields of their rows."""
    sent = {"title": "Power Pack", "slug": "power-pack", "price": "1.00", "active": "on", "types": ["Exams"]}
    for prefix, rows in (("images", pictures), ("notes", notes)):
        sent[f"{prefix}-TOTAL_FORMS"] = len(rows)
        sent[f"{prefix}-INITIAL_FORMS"] = sum("id" in row for row in rows)
        for number, row in enumerate(rows):
            sent |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return sent | fields


def upload(content, name="picture.jpg"):
    return SimpleUploadedFile(name, content)


def page_of(product):
    return reverse("admin:catalog_product_change", args=[product.pk])


ADD = "admin:catalog_product_add"


@pytest.mark.parametrize("page", ["changelist", "add"])
@pytest.mark.parametrize("model", ["product", "category"])
def test_pages_open(site, model, page):
    make_product()

    assert site.get(reverse(f"admin:catalog_{model}_{page}")).status_code == 200


def test_the_page_of_a_product_opens(site):
    product = make_product(exams=[make_exam()])
    picture = make_picture(product)
    make_note(product)

    page = site.get(page_of(product))

    assert page.status_code == 200
    assert f'src="/media/{picture.small}"' in page.content.decode()


def test_search_and_filters(site):
    product = make_product()
    make_product("Other", categories=["IBPS"])

    found = site.get(reverse("admin:catalog_product_changelist"), {"q": "power", "active__exact": 1})

    assert [row.pk for row in found.context["cl"].result_list] == [product.pk]


def test_adding_a_product_with_everything(site, stored):
    exam, category = make_exam(), Category.objects.create(name="TNPSC")

    answer = site.post(
        reverse(ADD),
        form(
            slug="",
            types=["E-books", "Books"],
            exams=[exam.pk],
            categories=[category.pk],
            pictures=[{"order": 1, "original": upload(make_image(), "x" * 200 + ".jpg")}],
            notes=[{"title": "Polity", "slug": "", "description": "", "attachment": upload(b"%PDF", "a b.pdf")}],
        ),
    )

    assert answer.status_code == 302, answer.context["errors"]
    product = Product.objects.get()
    picture, note = product.images.get(), product.notes.get()
    assert (product.slug, product.types) == ("power-pack", ["E-books", "Books"])
    assert (list(product.exams.all()), list(product.categories.all())) == ([exam], [category])
    assert (note.slug, note.attachment.name[-8:]) == ("polity", "/a_b.pdf")
    assert stored() == sorted([picture.original.name, picture.medium.name, picture.small.name, note.attachment.name])


def test_notes_of_one_title_get_slugs_of_their_own(site):
    note = {"title": "Polity", "slug": "", "description": ""}

    answer = site.post(reverse(ADD), form(notes=[note, note]))

    assert answer.status_code == 302, answer.context["errors"]
    assert [note.slug for note in Product.objects.get().notes.all()] == ["polity", "polity-2"]


def test_adding_a_bare_product(site):
    sent = form()
    del sent["types"]

    assert site.post(reverse(ADD), sent).status_code == 302
    assert Product.objects.get().types == []


def test_dates_are_the_institutes(site):
    site.post(reverse(ADD), form(start_date_0="2026-01-01", start_date_1="00:00:00"))

    assert Product.objects.get().start_date.isoformat() == "2025-12-31T18:30:00+00:00"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no image", "This is not a JPEG, PNG, WebP or GIF image."),
        (make_image()[:-100], "The image is broken."),
        (make_image(5001, 5000, format="PNG", mode="1", color=0), "The image has more than 25 million pixels."),
        (b"", "The submitted file is empty."),
        (b"x" * (10 * 1024**2 + 1), "The file is larger than 10 MiB."),
    ],
    ids=["text", "broken", "pixels", "empty", "bytes"],
)
def test_a_bad_picture_is_an_error_of_the_form(site, stored, content, error):
    answer = site.post(reverse(ADD), form(pictures=[{"order": 0, "original": upload(content)}]))

    assert answer.context["errors"].data == [[error]]
    assert (Product.objects.count(), stored()) == (0, [])


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"types": ["Films"]}, "Select a valid choice. Films is not one of the available choices."),
        ({"types": ["Books", "Books"]}, "Each type once."),
        ({"price": "-1"}, "Ensure this value is greater than or equal to 0."),
        (
            {
                "start_date_0": "2026-01-02",
                "start_date_1": "00:00",
                "end_date_0": "2026-01-01",
                "end_date_1": "00:00",
            },
            "The end must come after the start.",
        ),
    ],
    ids=["unknown type", "double type", "price", "dates"],
)
def test_a_bad_field_is_an_error_of_the_form(site, fields, error):
    answer = site.post(reverse(ADD), form(**fields))

    assert answer.context["errors"].data == [[error]]


def test_changing_other_things_keeps_the_files(site, stored, committing):
    product = make_product()
    picture, note = make_picture(product), make_note(product)
    before = stored()

    with committing():
        answer = site.post(
            page_of(product),
            form(
                title="New",
                pictures=[{"id": picture.pk, "product": product.pk, "order": 5}],
                notes=[{"id": note.pk, "product": product.pk, "title": "New", "slug": "new", "description": ""}],
            ),
        )

    assert answer.status_code == 302, answer.context["errors"]
    assert (product.images.get().order, product.notes.get().title, stored()) == (5, "New", before)


def test_replacing_and_deleting_leaves_no_files(site, stored, committing):
    product = make_product()
    replaced, deleted = make_picture(product), make_picture(product, order=1)
    cleared, gone = make_note(product, "Cleared"), make_note(product, "Gone")
    before = stored()

    with committing():
        answer = site.post(
            page_of(product),
            form(
                pictures=[
                    {"id": replaced.pk, "product": product.pk, "order": 0, "original": upload(make_image(50, 50))},
                    {"id": deleted.pk, "product": product.pk, "order": 1, "DELETE": "on"},
                ],
                notes=[
                    {
                        "id": note.pk,
                        "product": product.pk,
                        "title": note.title,
                        "slug": note.slug,
                        "description": "",
                        **more,
                    }
                    for note, more in ((cleared, {"attachment-clear": "on"}), (gone, {"DELETE": "on"}))
                ],
            ),
        )

    assert answer.status_code == 302, answer.context["errors"]
    picture = product.images.get()
    assert stored() == sorted([picture.original.name, picture.medium.name, picture.small.name])
    assert not set(before) & set(stored())


def test_deleting_products_leaves_no_files(site, stored, committing):
    product = make_product()
    make_picture(product)
    make_note(product)

    with committing():
        site.post(
            reverse("admin:catalog_product_changelist"),
            {"action": "delete_selected", "_selected_action": [product.pk], "post": "yes"},
        )

    assert (Product.objects.count(), stored()) == (0, [])
