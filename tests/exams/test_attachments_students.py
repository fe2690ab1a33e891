"""`GET exams/<slug>/attachments/`: what students get, when, and the links they download from."""

from datetime import timedelta

import pytest

from exams import attachments
from exams.models import Attachment
from tests.conftest import NOW, Api, make_exam
from tests.exams.signed import SignedClient


@pytest.fixture
def system(admin, private_files):
    return SignedClient(admin)


@pytest.fixture
def exam(db, at):
    at(NOW)
    return make_exam(questions=["R"], batches=["EEE"])


def test_the_list_in_the_envelope(system, exam, asha):
    first = system.upload(exam, b"%PDF", "வினா.pdf", "application/pdf")["attachment"]["id"]
    second = system.upload(exam, b"", "b.txt", "text/plain")["attachment"]["id"]

    answer = Api(asha).get(f"exams/{exam.slug}/attachments/")

    urls = [item.pop("url") for item in answer["results"]]
    assert answer == {
        "count": 2,
        "next": None,
        "previous": None,
        "per_page": 20,
        "results": [
            {"id": first, "file_name": "வினா.pdf", "content_type": "application/pdf", "size": 4},
            {"id": second, "file_name": "b.txt", "content_type": "text/plain", "size": 0},
        ],
    }
    assert all(url.startswith("http://localhost/attachments/") and url.endswith("/") for url in urls)


def test_both_slashes_and_an_empty_list(exam, asha):
    assert Api(asha).get(f"exams/{exam.slug}/attachments")["results"] == []


def test_the_url_gives_the_file_to_whoever_holds_it(system, exam, asha, client):
    system.upload(exam, b"%PDF content", "வினா 1.pdf", "application/pdf")
    url = Api(asha).get(f"exams/{exam.slug}/attachments/")["results"][0]["url"]

    for address in (url, url.removesuffix("/")):
        response = client.get(address, headers={"host": "localhost"})
        assert response.status_code == 200
        assert response.streaming
        assert b"".join(response) == b"%PDF content"
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Length"] == "12"
        assert response["Content-Disposition"] == (
            "attachment; filename*=utf-8''%E0%AE%B5%E0%AE%BF%E0%AE%A9%E0%AE%BE%201.pdf"
        )
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("plain.txt", 'attachment; filename="plain.txt"'),
        ('say \\"hi\\".txt', 'attachment; filename="say \\"hi\\".txt"'),
        ("a;b=c.txt", 'attachment; filename="a;b=c.txt"'),
    ],
)
def test_names_in_the_header(name, header, system, exam, client):
    system.upload(exam, b"<script>", name, "text/html")

    response = client.get(attachments.link(Attachment.objects.get()))

    assert (response["Content-Disposition"], response["Content-Type"]) == (header, "text/html")
    assert b"".join(response)


def test_the_url_expires_in_minutes(system, exam, client, at):
    system.upload(exam)
    url = attachments.link(Attachment.objects.get())

    at(NOW + timedelta(seconds=300))
    response = client.get(url)
    assert b"".join(response)
    assert response.status_code == 200
    at(NOW + timedelta(seconds=301))
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (403, "text/plain")


@pytest.mark.parametrize("token", ["1", "1:x:y", "x", "1:1uVdVO:AAAAAAAA", "%00", "1" * 3000])
def test_a_made_up_link_opens_nothing(token, system, exam, client):
    system.upload(exam)

    assert client.get(f"/attachments/{token}/").status_code == 403


def test_a_link_of_another_attachment_cannot_be_made_of_it(system, exam, client):
    first, second = (system.upload(exam)["attachment"]["id"] for _ in range(2))
    url = attachments.link(Attachment.objects.get(pk=first))

    assert client.get(url.replace(f"/{first}:", f"/{second}:")).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_link_is_only_read(method, system, exam, client):
    system.upload(exam)

    assert getattr(client, method)(attachments.link(Attachment.objects.get())).status_code == 405


def test_head_of_a_link(system, exam, client):
    system.upload(exam)

    response = client.head(attachments.link(Attachment.objects.get()))

    assert (response.status_code, response["Content-Length"], b"".join(response)) == (200, "7", b"")


def test_a_link_ends_with_its_attachment(system, exam, client):
    system.upload(exam)
    url = attachments.link(Attachment.objects.get())
    Attachment.objects.get().delete()

    assert client.get(url).status_code == 403


def test_a_row_that_lost_its_file_is_a_404(exam, client, private_files):
    row = Attachment.objects.create(exam=exam, file="a/gone", file_name="a", content_type="a/b", size=1)

    assert client.get(attachments.link(row)).status_code == 404


# --- Who, and when ---------------------------------------------------------------------------------------------------


def test_before_the_start_it_is_a_403_with_a_code(system, exam, asha, at):
    system.upload(exam)
    exam.start_date = NOW + timedelta(seconds=1)
    exam.save()
    path = f"exams/{exam.slug}/attachments/"

    assert Api(asha).get(path, status=403)["code"] == "exam_not_started"
    at(NOW + timedelta(seconds=1))
    assert Api(asha).get(path)["count"] == 1


def test_who_has_an_attempt_gets_them_whatever_becomes_of_the_exam(system, exam, asha, balu):
    system.upload(exam)
    Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)
    exam.batches.clear()
    exam.published = False
    exam.start_date, exam.end_date = NOW + timedelta(days=1), None
    exam.save()
    path = f"exams/{exam.slug}/attachments/"

    assert Api(asha).get(path)["count"] == 1
    assert Api(balu).get(path, status=404)


def test_after_the_end_they_are_still_there(system, exam, asha):
    system.upload(exam)
    exam.end_date = NOW - timedelta(minutes=1)
    exam.save()

    assert Api(asha).get(f"exams/{exam.slug}/attachments/")["count"] == 1


def test_students_of_another_batch_get_a_403(exam, chitra):
    assert Api(chitra).get(f"exams/{exam.slug}/attachments/", status=403)["code"] == "not_available"


def test_an_unknown_exam_is_a_404_and_without_a_token_a_401(exam, asha):
    assert Api(asha).get("exams/unknown/attachments/", status=404) == {"detail": "Not found."}
    assert "detail" in Api().get(f"exams/{exam.slug}/attachments/", status=401)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_students_only_read(method, exam, asha):
    Api(asha).call(method, f"exams/{exam.slug}/attachments/", status=405)


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_a_fixed_number_of_statements(count, system, exam, asha, statements):
    for _ in range(count):
        system.upload(exam)

    api = Api(asha)
    # The exam with the user, the rows, counted.
    with statements(2):
        assert api.get(f"exams/{exam.slug}/attachments/")["count"] == count
