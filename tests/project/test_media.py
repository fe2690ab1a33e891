"""Public files below /media/, which the server itself serves where they are local."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.storage.memory import InMemoryStorage


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, db):
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "secret").write_text("secret")


def store(name, content=b"content"):
    return default_storage.save(name, ContentFile(content))


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("i/0a.jpg", "image/jpeg"),
        ("i/0a.JPEG", "image/jpeg"),
        ("i/0a.png", "image/png"),
        ("i/0a.webp", "image/webp"),
        ("i/0a.gif", "image/gif"),
    ],
)
def test_a_picture_is_shown_in_place(name, content_type, client):
    store(name, b"picture")

    response = client.get(f"/media/{name}")

    assert response.status_code == 200
    assert b"".join(response) == b"picture"
    assert response["Content-Type"] == content_type
    assert "attachment" not in response.get("Content-Disposition", "")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("n/0a/notes.pdf", "application/pdf"),
        ("n/0a/page.html", "text/html"),
        ("n/0a/drawing.svg", "image/svg+xml"),
        ("n/0a/noext", "application/octet-stream"),
    ],
)
def test_anything_else_is_a_download(name, content_type, client):
    store(name)

    response = client.get(f"/media/{name}")

    assert response["Content-Type"].split(";")[0] == content_type
    assert response["Content-Disposition"] == f'attachment; filename="{name.rpartition("/")[2]}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response) == b"content"


def test_a_compressed_file_arrives_as_it_is(client):
    store("n/0a/papers.tar.gz")

    response = client.get("/media/n/0a/papers.tar.gz")

    assert "Content-Encoding" not in response
    assert b"".join(response) == b"content"


def test_a_name_beyond_ascii_keeps_its_name(client):
    store("n/0a/தமிழ்.pdf")

    response = client.get("/media/n/0a/தமிழ்.pdf")

    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert b"".join(response) == b"content"


def test_head_answers_without_the_content(client):
    store("i/0a.png", b"12345")

    response = client.head("/media/i/0a.png")

    assert (response.status_code, response["Content-Length"], b"".join(response)) == (200, "5", b"")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_a_file_is_only_read(method, client):
    store("i/0a.png")

    assert getattr(client, method)("/media/i/0a.png").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "i/none.png",
        "i",
        "i/",
        "../secret",
        "i/../../secret",
        "%2e%2e/secret",
        "..%2fsecret",
        "/etc/passwd",
        "i/%00.png",
        "i/0a.png/more",
        "x" * 5000,
        "%ff",
    ],
)
def test_nothing_else_is_served(path, client):
    store("i/0a.png")

    assert client.get(f"/media/{path}").status_code == 404


def test_nothing_is_served_where_files_are_not_local(client, monkeypatch):
    store("i/0a.png")
    monkeypatch.setitem(storages._storages, "default", InMemoryStorage())
    monkeypatch.setattr(default_storage, "_wrapped", InMemoryStorage())

    assert client.get("/media/i/0a.png").status_code == 404
