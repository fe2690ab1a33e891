"""Signed requests that meet: threads with connections of their own, through the whole stack."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Nonce
from exams.models import Attachment
from tests.attempts.test_races import at_once
from tests.conftest import make_exam
from tests.exams.signed import BOUNDARY, SignedClient, multipart

pytestmark = pytest.mark.django_db(transaction=True)

COPIES = 8


def same_request(system, method, url, body=b"", content_type=""):
    """The statuses of copies of one request that come at once."""

    def send():
        client = SignedClient.__new__(SignedClient)
        super(SignedClient, client).__init__(HTTP_HOST="localhost")
        return client.generic(
            method, url, body, content_type, HTTP_AUTHORIZATION=f"Token token={system.key}"
        ).status_code

    return sorted(at_once(*[send] * COPIES))


@pytest.mark.parametrize("time", range(3))
def test_of_eight_copies_of_a_request_one_is_served(time, system):
    exam = make_exam(questions=())

    statuses = same_request(system, "GET", f"{system.path(exam)}?{urlencode(system.signed(exam))}")

    assert statuses == [200] + [403] * (COPIES - 1)
    assert Nonce.objects.count() == 1


def test_of_eight_copies_of_an_upload_one_is_stored(system, private_files):
    exam = make_exam(questions=())
    body = multipart(system.signed(exam).items(), [("document", "a.pdf", b"x" * 100_000, "application/pdf")])

    statuses = same_request(system, "POST", system.path(exam), body, f"multipart/form-data; boundary={BOUNDARY}")

    assert statuses == [201] + [403] * (COPIES - 1)
    assert private_files() == [Attachment.objects.get().file.name]


def test_an_expired_nonce_is_good_again_only_once(system, clerk):
    exam = make_exam(questions=())
    Nonce.objects.create(credential=system.credential, text="5", expires=timezone.now() - timedelta(minutes=1))

    statuses = same_request(system, "GET", f"{system.path(exam)}?{urlencode(system.signed(exam, None, {'nonce': 5}))}")

    assert statuses == [200] + [403] * (COPIES - 1)


def test_of_eight_deletions_one_finds_it(system, private_files):
    exam = make_exam(questions=())
    pk = system.upload(exam)["attachment"]["id"]

    def delete(client):
        response = client.generic(
            "DELETE",
            f"{system.path(exam, pk)}?{urlencode(client.signed(exam, pk))}",
            HTTP_AUTHORIZATION=f"Token token={client.key}",
        )
        return response.status_code

    clients = [SignedClient(system.credential.user) for _ in range(COPIES)]
    statuses = at_once(*[lambda client=client: delete(client) for client in clients])

    assert sorted(statuses) == [200] + [404] * (COPIES - 1)
    assert private_files() == []


def test_uploads_and_the_exams_deletion_leave_no_file_alone(system, private_files):
    """Whichever comes first, files and rows agree."""
    exam = make_exam(questions=())

    def upload(client):
        body = multipart(client.signed(exam).items(), [("document", "a.pdf", b"x" * 1000, None)])
        content_type = f"multipart/form-data; boundary={BOUNDARY}"
        client.raise_request_exception = False
        return client.generic(
            "POST", client.path(exam), body, content_type, HTTP_AUTHORIZATION=f"Token token={client.key}"
        ).status_code

    def delete():
        with transaction.atomic():
            list(type(exam).objects.select_for_update().filter(pk=exam.pk))
            type(exam).objects.filter(pk=exam.pk).delete()
        return 0

    clients = [SignedClient(system.credential.user) for _ in range(4)]
    statuses = at_once(delete, *[lambda client=client: upload(client) for client in clients])

    assert set(statuses) <= {0, 201, 404}
    assert private_files() == []
    assert not Attachment.objects.exists()
