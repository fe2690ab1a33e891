"""Products of the tests, image files of any kind, and what lies on storage."""

from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from catalog.models import Category, Note, Product, ProductImage


def make_product(title="Power Pack", *, categories=("TNPSC",), exams=(), **fields):
    """An active product of Rs. 1 that is always on sale."""
    product = Product.objects.create(title=title, **{"price": "1.00", "types": ["E-books", "Exams"]} | fields)
    product.categories.set([Category.objects.get_or_create(name=name)[0] for name in categories])
    product.exams.set(exams)
    return product


def make_image(width=400, height=300, *, format="JPEG", mode="RGB", color="red", **options):
    """The bytes of an image file."""
    file = BytesIO()
    Image.new(mode, (width, height), color).save(file, format, **options)
    return file.getvalue()


def make_picture(product, content=None, *, order=0):
    return ProductImage.objects.create(
        product=product, order=order, original=ContentFile(content or make_image(), name="my cat.jpg")
    )


def make_note(product, title="Polity", *, attachment=b"%PDF", **fields):
    """A note; `attachment` holds its file's bytes, None leaves it without."""
    if attachment is not None:
        fields["attachment"] = ContentFile(attachment, name="polity notes.pdf")
    return Note.objects.create(product=product, title=title, **fields)


@pytest.fixture(autouse=True)
def stored(settings, tmp_path):
    """An empty storage; gives a function that lists its files."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return lambda: sorted(
        str(path.relative_to(settings.MEDIA_ROOT)) for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()
    )


@pytest.fixture
def committing(django_capture_on_commit_callbacks):
    """`with committing(): …` does at the block's end what waits for the commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
