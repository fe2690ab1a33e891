import re

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from catalog.files import note_name
from catalog.models import Note, Product, ProductImage
from tests.catalog.conftest import make_image, make_note, make_picture, make_product


@pytest.fixture
def product(db):
    return make_product()


def test_a_replaced_picture_leaves_no_files(product, stored, committing):
    picture = make_picture(product)
    old = stored()

    with committing():
        picture.original = ContentFile(make_image(10, 10), name="new.jpg")
        picture.save()
        assert set(old) < set(stored())  # until the commit the old ones are still named

    assert len(stored()) == 3
    assert not set(old) & set(stored())


def test_a_replacement_that_is_refused_changes_nothing(product, stored):
    picture = make_picture(product)
    old = stored()
    picture.original = ContentFile(b"no image", name="new.jpg")

    with pytest.raises(Exception, match="not a JPEG"):
        picture.save()

    assert stored() == old


def test_two_who_replace_the_same_picture_leave_one(product, stored, committing):
    """Each read the row before the other wrote it."""
    make_picture(product)
    rows = [ProductImage.objects.get(), ProductImage.objects.get()]

    with committing():
        for row in rows:
            row.original = ContentFile(make_image(10, 10), name="new.jpg")
            row.save()

    picture = ProductImage.objects.get()
    assert stored() == sorted([picture.original.name, picture.medium.name, picture.small.name])


def test_a_replaced_attachment_leaves_no_file(product, stored, committing):
    note = make_note(product)
    with committing():
        note.attachment = ContentFile(b"new", name="second edition.pdf")
        note.save()

    assert stored() == [note.attachment.name]


def test_a_removed_attachment_leaves_no_file(product, stored, committing):
    note = make_note(product)
    with committing():
        note.attachment = ""
        note.save()

    assert stored() == []


@pytest.mark.parametrize(
    "delete",
    [
        lambda: [row.delete() for model in (ProductImage, Note) for row in model.objects.all()],
        lambda: [model.objects.all().delete() for model in (ProductImage, Note)],
        lambda: Product.objects.get().delete(),
        lambda: Product.objects.all().delete(),
    ],
    ids=["rows", "querysets", "cascade", "cascade of a queryset"],
)
def test_deleted_rows_leave_no_files(product, stored, committing, delete):
    make_picture(product)
    make_note(product)

    with committing():
        delete()
        assert len(stored()) == 4

    assert stored() == []


def test_a_deletion_that_is_rolled_back_keeps_the_files(product, stored, committing):
    make_picture(product)
    make_note(product)

    with committing(), transaction.atomic():
        product.delete()
        transaction.set_rollback(True)

    assert len(stored()) == 4


def test_a_row_that_cannot_be_saved_leaves_no_files(product, stored):
    note = make_note(product)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_note(product, "Other", slug=note.slug)

    assert stored() == [note.attachment.name]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("notes.pdf", "notes.pdf"),
        ("My notes (2).tar.gz", "My_notes_2.tar.gz"),
        ("../../etc/passwd", "passwd"),
        ("C:\\papers\\one.doc", "one.doc"),
        ("a\r\nb\x00.pdf", "ab.pdf"),
        ("???.pdf", "document.pdf"),
        ("...", "document"),
        (".pdf", "pdf"),
        ("é" * 200 + ".pdf", "é" * 73 + ".pdf"),
        ("a." + "b" * 200, "a." + "b" * 15),
    ],
)
def test_names_of_attachments(db, product, sent, kept):
    folder, digits, name = note_name(None, sent).split("/")
    assert (folder, bool(re.fullmatch("[0-9a-f]{32}", digits)), name) == ("n", True, kept)


def test_an_attachment_of_a_strange_name_is_stored(product, stored):
    note = make_note(product, attachment=None)
    note.attachment = ContentFile(b"x", name="(((" + "é" * 250 + "???")
    note.save()

    assert stored() == [note.attachment.name]
