"""Attachments in the admin site: staff see, download and delete them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from exams.models import Attachment
from tests.conftest import make_exam
from tests.exams.signed import SignedClient

LIST = "/admin/exams/attachment/"


@pytest.fixture
def attachment(admin, private_files):
    exam = make_exam(questions=["R"])
    SignedClient(admin).upload(exam, b"<script>", "page.html", "text/html")
    return Attachment.objects.get()


@pytest.fixture
def site(clerk, client):
    client.force_login(clerk)
    return client


def test_the_list_links_to_the_download(attachment, site):
    page = site.get(LIST).content.decode()

    assert f'<a href="{LIST}{attachment.pk}/download/">page.html</a>' in page
    assert "/media/" not in page


def test_the_exams_page_links_to_the_download(attachment, admin, client):
    client.force_login(admin)

    page = client.get(f"/admin/exams/exam/{attachment.exam_id}/change/").content.decode()

    assert f'<a href="{LIST}{attachment.pk}/download/">page.html</a>' in page


def test_a_download_is_never_shown_in_place(attachment, site):
    response = site.get(f"{LIST}{attachment.pk}/download/")

    assert b"".join(response) == b"<script>"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_one_that_is_not_there_is_a_404(attachment, site, settings):
    assert site.get(f"{LIST}{attachment.pk + 1}/download/").status_code == 404
    (settings.PRIVATE_ROOT / attachment.file.name).unlink()
    assert site.get(f"{LIST}{attachment.pk}/download/").status_code == 404


def test_without_the_right_there_is_no_download(attachment, teacher, asha):
    client = Client()
    client.force_login(teacher)
    assert client.get(f"{LIST}{attachment.pk}/download/").status_code == 403
    for user in (asha, None):
        client = Client()
        if user:
            client.force_login(user)
        response = client.get(f"{LIST}{attachment.pk}/download/")
        assert (response.status_code, response["Location"][:13]) == (302, "/admin/login/")


def test_it_is_neither_added_nor_changed_here(attachment, site, clerk):
    clerk.user_permissions.add(Permission.objects.get(codename="change_attachment"))

    assert site.get(f"{LIST}add/").status_code == 403
    assert site.post(f"{LIST}{attachment.pk}/change/", {"file_name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "data"),
    [("{pk}/delete/", {}), ("", {"action": "delete_selected", "_selected_action": "{pk}"})],
    ids=["one", "selected"],
)
def test_deleting_takes_the_file_along(path, data, attachment, site, private_files, committing):
    data = {name: value.format(pk=attachment.pk) for name, value in data.items()}

    with committing():
        response = site.post(LIST + path.format(pk=attachment.pk), data | {"post": "yes"})

    assert response.status_code == 302
    assert not Attachment.objects.exists()
    assert private_files() == []
