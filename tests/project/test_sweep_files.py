"""`manage.py sweep_files`."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.storage.memory import InMemoryStorage
from django.core.management import call_command
from django.utils import timezone

from catalog.models import Note, Product, ProductImage
from exams.models import Attachment
from tests.conftest import make_exam


@pytest.fixture(autouse=True)
def _folders(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_ROOT = tmp_path / "private"


def store(name, *, age=timedelta(days=2), storage=default_storage):
    stored = storage.save(name, ContentFile(b"content"))
    assert stored == name
    moment = time.time() - age.total_seconds()
    os.utime(storage.path(name), (moment, moment))


def left(storage=default_storage):
    root = Path(storage.location)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_only_files_that_no_row_names_go(asha, capsys):
    kept = ["i/photo.jpg", "i/large.jpg", "i/picture.jpg", "i/medium.jpg", "n/0a/notes.pdf"]
    for name in [*kept, "i/orphan.jpg", "i/deep/er/orphan.jpg", "n/0b/orphan.pdf", "elsewhere/file"]:
        store(name)
    type(asha).objects.filter(pk=asha.pk).update(photo="i/photo.jpg", large_image="i/large.jpg")
    product = Product.objects.create(title="Guide")
    ProductImage.objects.bulk_create(
        [ProductImage(product=product, original="i/picture.jpg", medium="i/medium.jpg", small="i/medium.jpg")]
    )
    Note.objects.bulk_create([Note(product=product, title="Notes", slug="notes", attachment="n/0a/notes.pdf")])

    call_command("sweep_files")

    assert left() == sorted([*kept, "elsewhere/file"])
    assert capsys.readouterr().out == "removed 3 of 8 files\n"


def test_private_files_that_no_row_names_go_and_uploads_that_broke_off(asha, capsys):
    private = storages["private"]
    for name in ("a/kept", "a/orphan", "incoming/tmp1", "elsewhere/file"):
        store(name, storage=private)
    store("incoming/arriving", storage=private, age=timedelta(minutes=1))
    Attachment.objects.create(exam=make_exam(), file="a/kept", file_name="x", content_type="a/b", size=7)

    call_command("sweep_files")

    assert left(private) == ["a/kept", "elsewhere/file", "incoming/arriving"]
    assert capsys.readouterr().out == "removed 2 of 4 files\n"


def test_young_files_stay(db, capsys):
    store("i/new.jpg", age=timedelta(hours=23))
    store("i/old.jpg", age=timedelta(hours=25))

    call_command("sweep_files")

    assert left() == ["i/new.jpg"]
    call_command("sweep_files", hours=22)
    assert left() == []


def test_a_dry_run_lists_and_removes_nothing(db, capsys):
    store("i/old.jpg")

    call_command("sweep_files", dry_run=True)

    assert left() == ["i/old.jpg"]
    assert capsys.readouterr().out == "i/old.jpg\nwould remove 1 of 1 files\n"


def test_it_can_be_repeated_and_needs_no_folder(db, capsys):
    call_command("sweep_files")
    call_command("sweep_files")

    assert capsys.readouterr().out == "removed 0 of 0 files\n" * 2


def test_another_storage_is_swept_through_its_own_interface(db, monkeypatch, capsys):
    storage = InMemoryStorage()
    monkeypatch.setattr(default_storage, "_wrapped", storage)
    for name in ("i/0a.jpg", "n/0a/notes.pdf"):
        storage.save(name, ContentFile(b"content"))
    monkeypatch.setattr(storage, "get_modified_time", lambda name: timezone.now() - timedelta(days=2))

    call_command("sweep_files")

    assert (storage.listdir("i"), storage.listdir("n/0a")) == (([], []), ([], []))
