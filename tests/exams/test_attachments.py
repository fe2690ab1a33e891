"""The four calls of the signed API on exams' attachments."""

import io
import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Institute
from exams.models import Attachment
from tests.conftest import NOW, Api, make_exam
from tests.exams.signed import ACCEPT, BODY_403, SignedClient, multipart


@pytest.fixture
def exam(db):
    return make_exam(questions=())


def make_attachments(exam, count):
    return Attachment.objects.bulk_create(
        Attachment(exam=exam, file=f"a/{n:032}", file_name=f"{n}.pdf", content_type="application/pdf", size=n)
        for n in range(count)
    )


def content_of(attachment):
    with attachment.file.open() as file:
        return file.read()


# --- Create ----------------------------------------------------------------------------------------------------------


def test_a_created_attachment_is_answered_and_stored(system, exam, private_files, at):
    at(datetime(2019, 1, 22, 15, 48, 6, 991_999, UTC))

    answer = system.upload(exam, b"\xff\xd8\xffpicture", "image2.jpg", "image/jpeg")

    attachment = Attachment.objects.get()
    assert answer == {
        "attachment": {
            "id": attachment.pk,
            "created_at": "2019-01-22T21:18:06.991+05:30",
            "updated_at": "2019-01-22T21:18:06.991+05:30",
            "document_file_name": "image2.jpg",
            "document_content_type": "image/jpeg",
            "document_file_size": 10,
            "document_updated_at": "2019-01-22T21:18:06.991+05:30",
            "exam_id": exam.pk,
            "placeholder": "1548172086_image2.jpg",
        }
    }
    assert system.response["Content-Type"] == "application/json"
    assert private_files() == [attachment.file.name]
    assert re.fullmatch(r"a/[0-9a-f]{32}", attachment.file.name)
    assert content_of(attachment) == b"\xff\xd8\xffpicture"


def test_times_show_three_digits_and_the_institutes_offset(system, exam, at):
    Institute.objects.update_or_create(pk=Institute.ID, defaults={"name": "X", "time_zone": "Europe/Amsterdam"})
    at(datetime(2019, 1, 22, 15, 7, 23, tzinfo=UTC))

    assert system.upload(exam)["attachment"]["created_at"] == "2019-01-22T16:07:23.000+01:00"


@pytest.mark.parametrize("files_first", [False, True])
def test_the_parameters_may_come_before_or_after_the_file(files_first, system, exam):
    assert system.upload(exam, files_first=files_first)["attachment"]["document_file_size"] == 7


def test_an_empty_file_is_a_file(system, exam, private_files):
    assert system.upload(exam, b"")["attachment"]["document_file_size"] == 0
    assert content_of(Attachment.objects.get()) == b""
    assert len(private_files()) == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("image.jpg", "image.jpg"),
        ("தமிழ் வினாத்தாள்.pdf", "தமிழ் வினாத்தாள்.pdf"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\\\papers\\\\one.doc", "one.doc"),
        ('say \\"hi\\".txt', 'say "hi".txt'),
        ("say %22hi%22%0D%0A.txt", 'say "hi".txt'),
        ("it's; a=b, 100%, %2F.txt", "it's; a=b, 100%, %2F.txt"),
        ("a\x00b\x01\x7f.txt", "ab.txt"),
        ("a\tb.txt", "ab.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        (" spaces .txt ", "spaces .txt"),
        ("..", "document"),
        ("../", "document"),
        ("\x01", "document"),
        (".htaccess", ".htaccess"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("é" * 300, "é" * 255),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_file_names_are_cleaned(sent, kept, system, exam, at):
    at(NOW)
    answer = system.upload(exam, name=sent)["attachment"]

    assert answer["document_file_name"] == kept
    assert answer["placeholder"] == f"{int(NOW.timestamp())}_{kept}"
    assert Attachment.objects.get().file_name == kept


@pytest.mark.parametrize("name", [b"a\r\nb.txt", b"a\nb.txt", b"a\rb.txt", b'"', b"a;filename=b"])
def test_a_file_name_that_breaks_the_header_breaks_nothing_else(name, system, exam, private_files):
    system.upload(exam, name=name)

    stored = Attachment.objects.get()
    assert stored.file_name.isprintable()
    assert private_files() == [stored.file.name]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Application/PDF", "application/pdf"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("jpeg", "application/octet-stream"),
        ("image/", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("image/jp<eg>", "application/octet-stream"),
        ("x/" + "y" * 300, "application/octet-stream"),
    ],
)
def test_a_declared_type_is_kept_if_it_is_one(sent, kept, system, exam):
    assert system.upload(exam, content_type=sent)["attachment"]["document_content_type"] == kept


def test_other_files_are_read_over(system, exam, private_files):
    others = [
        ("picture", "a.jpg", b"aaa", "image/jpeg"),
        ("document", "b.jpg", b"bb", "image/jpeg"),
        ("x", "c", b"", None),
    ]

    answer = system.upload(exam, files=others)

    assert answer["attachment"]["document_file_name"] == "b.jpg"
    assert len(private_files()) == 1


def test_two_documents_are_a_400(system, exam, private_files):
    files = [("document", "a.jpg", b"aaa", "image/jpeg"), ("document", "b.jpg", b"bb", "image/jpeg")]

    assert system.upload(exam, files=files, status=400) == {"error": "Invalid parameter 'document': Must be one File."}
    assert private_files() == []


@pytest.mark.parametrize("files", [[], [("file", "a.jpg", b"aaa", "image/jpeg")]])
def test_a_missing_document_is_a_400(files, system, exam, private_files):
    answer = system.upload(exam, files=files, status=400)

    assert answer == {"error": "Missing parameter 'document': Must be a File."}
    assert private_files() == []


def test_a_document_without_a_file_name_is_no_file_but_a_signed_field(system, exam):
    assert "document" in system.upload(exam, files=[], parameters={"document": "text"}, status=400)["error"]
    assert system.upload(exam, files=[("document", "", b"text", "text/plain")], status=403) == BODY_403


@pytest.mark.parametrize("where", ["query", "json", "form"])
def test_a_post_without_multipart_has_no_document(where, system, exam):
    assert "document" in system.call("POST", exam, where=where, status=400)["error"]


def test_a_file_of_just_the_limit_is_taken(system, exam, settings):
    settings.ATTACHMENT_LIMIT = 1000

    assert system.upload(exam, b"x" * 1000)["attachment"]["document_file_size"] == 1000


@pytest.mark.parametrize("size", [1001, 1500])
@pytest.mark.parametrize("files_first", [False, True])
def test_a_file_over_the_limit_is_a_413_and_not_kept(size, files_first, system, exam, private_files, settings):
    settings.ATTACHMENT_LIMIT = 1000

    answer = system.upload(exam, b"x" * size, files_first=files_first, status=413)

    assert answer == {"error": "The request's body is too large."}
    assert private_files() == []
    assert not Attachment.objects.exists()


def test_a_file_over_the_limit_of_an_unsigned_request_is_a_403(system, exam, settings):
    settings.ATTACHMENT_LIMIT = 1000

    assert system.upload(exam, b"x" * 1001, sent={"signature": "0" * 64}, status=403) == BODY_403


def test_a_body_far_over_the_limit_is_not_read(system, exam, settings, monkeypatch):
    monkeypatch.setattr("exams.attachment_views.FORM_LIMIT", 100)
    settings.ATTACHMENT_LIMIT = 1000
    monkeypatch.setattr("django.http.multipartparser.MultiPartParser.parse", None)

    assert system.upload(exam, b"x" * 3000, status=413) == {"error": "The request's body is too large."}


@pytest.mark.parametrize("where", ["json", "form"])
def test_other_bodies_over_2_mib_are_a_413(where, system, exam):
    answer = system.call("POST", exam, parameters={"a": "x" * 2 * 1024 * 1024}, where=where, status=413)

    assert answer == {"error": "The request's body is too large."}


def test_an_exam_that_is_not_there_is_a_404_and_nothing_is_kept(system, exam, private_files):
    assert system.upload(exam.pk + 1, status=404) == {"error": f"Couldn't find Exam with 'id'={exam.pk + 1}"}
    assert private_files() == []


@pytest.mark.parametrize(
    "cut",
    [
        lambda body: body[: len(body) // 2],
        lambda body: body[: -1 - len("--\r\n")],
        lambda body: body.rpartition(b"\r\n--")[0],
        lambda body: body[: body.index(b"content") + 3],
        lambda body: body[:-300],
        lambda body: body[:100],
    ],
)
@pytest.mark.parametrize("files_first", [False, True])
def test_a_cut_body_leaves_nothing(cut, files_first, system, exam, private_files):
    answer = system.upload(exam, b"content" * 100, cut=cut, files_first=files_first, status=403)

    assert answer == BODY_403
    assert private_files() == []
    assert not Attachment.objects.exists()


def test_a_body_shorter_than_it_says_leaves_nothing(system, exam, private_files):
    body = io.BytesIO(multipart(system.signed(exam).items(), [("document", "a.pdf", b"content" * 100, None)]))

    answer = system.upload(exam, status=403, **{"CONTENT_LENGTH": "5000", "wsgi.input": body})

    assert answer == BODY_403
    assert private_files() == []


def test_a_body_in_chunks_of_unknown_length_is_read_to_its_end(system, exam):
    body = multipart(system.signed(exam).items(), [("document", "a.pdf", b"content" * 100, None)])
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}

    answer = system.upload(exam, **chunked, **{"wsgi.input": io.BytesIO(body)})
    assert answer["attachment"]["document_file_size"] == 700
    cut = system.upload(exam, status=403, **chunked, **{"wsgi.input": io.BytesIO(body[:-20])})
    assert cut == BODY_403


def test_a_name_that_is_no_utf8_is_a_400(system, exam, private_files):
    assert "document" in system.upload(exam, name=b"\xff\xfe.txt", status=400)["error"]
    assert private_files() == []


def test_a_failed_transaction_leaves_no_file(system, exam, private_files, monkeypatch):
    monkeypatch.setattr("exams.models.Attachment.objects.create", lambda **kwargs: 1 / 0)
    system.raise_request_exception = False

    assert system.upload(exam, status=500) == {"error": "The server failed. Try again."}
    assert private_files() == []


def test_a_disk_that_fails_leaves_no_file(system, exam, private_files, monkeypatch):
    def full(self, raw_data, start):
        raise OSError("No space left on device")

    monkeypatch.setattr("exams.attachments.Upload.receive_data_chunk", full)
    system.raise_request_exception = False

    system.upload(exam, status=500)
    assert private_files() == []


def test_a_storage_that_fails_leaves_neither_row_nor_file(system, exam, private_files, monkeypatch):
    def unreachable(self, name, content, max_length=None):
        raise OSError("no bucket")

    monkeypatch.setattr("testpress.storage.PrivateStorage.save", unreachable)
    system.raise_request_exception = False

    system.upload(exam, status=500)
    assert private_files() == []
    assert not Attachment.objects.exists()


def test_an_upload_by_whom_may_not_add_is_not_even_written(teacher, exam, private_files, monkeypatch):
    monkeypatch.setattr("exams.attachments.Upload.new_file", None)

    assert SignedClient(teacher).upload(exam, status=403) == BODY_403


# --- List ------------------------------------------------------------------------------------------------------------


def test_the_list_is_in_order_and_of_one_exam(system, exam):
    other = make_exam("Other", questions=())
    first, second = (system.upload(exam, name=name)["attachment"] for name in ("b.pdf", "a.pdf"))
    system.upload(other)

    assert system.call("GET", exam) == {"attachments": [first, second]}
    assert pages(system) == {"Item-Count": "2", "Page-Count": "1", "Page": "1", "Limit": "300"}


def pages(system):
    return {
        name.removeprefix("X-Pagination-"): value
        for name, value in system.response.items()
        if name.startswith("X-Pagination-")
    }


def test_an_exam_without_attachments(system, exam):
    assert system.call("GET", exam) == {"attachments": []}
    assert pages(system) == {"Item-Count": "0", "Page-Count": "0", "Page": "1", "Limit": "300"}


@pytest.mark.parametrize(
    ("asked", "ids", "headers"),
    [
        ({"limit": 2}, [0, 1], ("3", "1", "2")),
        ({"limit": 2, "page": 2}, [2, 3], ("3", "2", "2")),
        ({"limit": 2, "page": "03"}, [4], ("3", "3", "2")),
        ({"limit": 2, "page": 4}, [], ("3", "4", "2")),
        ({"page": 10**17}, [], ("1", str(10**17), "300")),
        ({"page": 10**30}, [], ("1", str(2**63 - 1), "300")),
        ({"limit": 301}, [0, 1, 2, 3, 4], ("1", "1", "300")),
        ({"limit": 10**30}, [0, 1, 2, 3, 4], ("1", "1", "300")),
    ],
)
@pytest.mark.parametrize("where", ["query", "json"])
def test_pages(asked, ids, headers, where, system, exam):
    rows = make_attachments(exam, 5)

    answer = system.call("GET", exam, parameters=asked, where=where)

    assert [item["id"] for item in answer["attachments"]] == [rows[n].pk for n in ids]
    count, page, limit = headers
    assert pages(system) == {"Item-Count": "5", "Page-Count": count, "Page": page, "Limit": limit}


def test_no_more_than_300_come_at_once(system, exam):
    make_attachments(exam, 301)

    assert len(system.call("GET", exam, parameters={"limit": 1000})["attachments"]) == 300
    assert pages(system)["Page-Count"] == "2"
    assert len(system.call("GET", exam, parameters={"page": 2})["attachments"]) == 1


@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "1e3", " 1", "١", "0"])
def test_a_page_or_limit_that_is_no_number_is_a_400_that_names_it(name, value, system, exam):
    assert name in system.call("GET", exam, parameters={name: value}, status=400)["error"]


def test_the_list_of_an_exam_that_is_not_there_is_a_404(system, exam):
    assert system.call("GET", exam.pk + 1, status=404) == {"error": f"Couldn't find Exam with 'id'={exam.pk + 1}"}


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_a_fixed_number_of_statements(count, system, exam):
    make_attachments(exam, count)
    system.call("GET", exam)

    with CaptureQueriesContext(connection) as captured:
        system.call("GET", exam)

    real = [q["sql"] for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    # The credential with its user; the nonce: an expired one goes, it comes, old ones go; two of rights; the exam,
    # the count, the rows.
    assert len(real) == 9, real


# --- Show ------------------------------------------------------------------------------------------------------------


def test_one_attachment(system, exam):
    created = system.upload(exam)["attachment"]

    assert system.call("GET", exam, created["id"]) == {"attachment": created}


def test_an_attachment_of_another_exam_is_not_there(system, exam):
    pk = system.upload(exam)["attachment"]["id"]
    other = make_exam("Other", questions=())

    answer = {"error": f"Couldn't find Attachment with 'id'={pk}"}
    assert system.call("GET", other, pk, status=404) == answer
    assert system.call("DELETE", other, pk, status=404) == answer
    assert Attachment.objects.exists()


@pytest.mark.parametrize("pk", ["7", "0", "007", str(2**63), "9" * 100])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_attachment_that_is_not_there_is_a_404(method, pk, system, exam):
    assert system.call(method, exam, pk, status=404) == {"error": f"Couldn't find Attachment with 'id'={pk}"}


@pytest.mark.parametrize("exam_id", ["x", "-1", "1.0", "0x1", "１", "1 ", "a=b?c+d%20e", "\x00", "1\n"])
def test_an_exam_id_that_is_no_number_is_a_400_that_names_it(exam_id, system):
    for method, pk in (("GET", None), ("POST", None), ("GET", 1), ("DELETE", 1)):
        assert "exam_id" in system.call(method, exam_id, pk, status=400)["error"]


@pytest.mark.parametrize("pk", ["x", "-1", "1.0", "🙂"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_id_that_is_no_number_is_a_400_that_names_it(method, pk, system, exam):
    assert "'id'" in system.call(method, exam, pk, status=400)["error"]


# --- Destroy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["query", "json", "form"])
def test_a_destroyed_attachment_takes_its_file_along(where, system, exam, private_files, committing):
    pk = system.upload(exam)["attachment"]["id"]

    with committing():
        assert system.call("DELETE", exam, pk, where=where) == {}
        assert len(private_files()) == 1  # until the commit

    assert private_files() == []
    assert not Attachment.objects.exists()
    assert system.call("DELETE", exam, pk, where=where, status=404)


# --- What surrounds them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_slashes(slash, system, exam):
    pk = system.upload(exam)["attachment"]["id"]

    system.call("GET", exam, path=system.path(exam) + slash)
    system.call("GET", exam, pk, path=system.path(exam, pk) + slash)
    system.call("DELETE", exam, pk, path=system.path(exam, pk) + slash)


@pytest.mark.parametrize("accept", [ACCEPT, "application/json", "*/*", "application/*", "text/html, */*;q=0.1"])
def test_accepted_types_are_answered_as_json(accept, system, exam):
    system.call("GET", exam, HTTP_ACCEPT=accept)

    assert system.response["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/vnd.procwise.v2"])
def test_other_types_are_a_406(accept, system, exam):
    answer = system.call("GET", exam, HTTP_ACCEPT=accept, status=406)

    assert answer == {"error": "Could not satisfy the request Accept header."}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_a_405(method, system, exam):
    assert list(system.call(method, exam, status=405)) == ["error"]
    assert list(system.call(method, exam, 1, status=405)) == ["error"]


def test_a_body_of_another_type_is_a_415(system, exam):
    named = system.signed(exam)

    answer = system.send("POST", f"{system.path(exam)}?{urlencode(named)}", b"<a/>", "application/xml", status=415)

    assert answer == {"error": 'Unsupported media type "application/xml" in request.'}


@pytest.mark.parametrize("path", ["", "/", "/unknown", "/exams/1", "/exams//attachments", "/exams/1/attachments/1/2"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths_are_a_404(method, path, client, db):
    response = client.generic(method, f"/api/v3{path}", headers={"accept": "text/html"})

    assert (response.status_code, response.json()) == (404, {"error": "Not found."})
    assert response["Content-Type"] == "application/json"


def test_a_wrong_host_is_a_400(client, db):
    response = client.get("/api/v3/exams/1/attachments", headers={"host": "evil.example.com"})

    assert (response.status_code, response.json()) == (400, {"error": "Bad request."})


def test_a_token_of_the_student_api_opens_nothing(admin, exam):
    assert Api(admin).get(f"/api/v3/exams/{exam.pk}/attachments", status=403) == BODY_403


def test_head_answers_like_get(system, exam):
    named = system.signed(exam)
    response = system.generic(
        "HEAD", f"{system.path(exam)}?{urlencode(named)}", HTTP_AUTHORIZATION=f"Token token={system.key}"
    )

    assert (response.status_code, response["X-Pagination-Item-Count"]) == (200, "0")


def test_attachments_are_not_below_the_media_address(system, exam, client):
    system.upload(exam)
    name = Attachment.objects.get().file.name

    for path in (
        f"/media/{name}",
        f"/media/../private/{name}",
        f"/media/private/{name}",
        f"/{name}",
        f"/private/{name}",
    ):
        assert client.get(path).status_code == 404
    with pytest.raises(ValueError, match="no address"):
        Attachment.objects.get().file.url  # noqa: B018


def test_private_files_are_the_servers_own(system, exam, settings):
    system.upload(exam)
    attachment = Attachment.objects.get()

    assert attachment.file.storage.path(attachment.file.name).startswith(str(settings.PRIVATE_ROOT))
    assert (settings.PRIVATE_ROOT / attachment.file.name).stat().st_mode & 0o777 == 0o600
    assert settings.PRIVATE_ROOT.joinpath("a").stat().st_mode & 0o777 == 0o700


def test_a_deleted_exam_takes_its_attachments_along(system, exam, private_files, committing):
    system.upload(exam)
    system.upload(exam)

    with committing():
        exam.delete()

    assert private_files() == []
