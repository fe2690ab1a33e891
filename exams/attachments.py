"""Exams' attachments: how a file arrives, is stored together with its row, goes with it, and is given out.

A file arrives in a scratch file below PRIVATE_ROOT (`incoming/`), counted as it comes and never whole in memory. Once
it is complete and its request is found good, it is moved (in a bucket: copied) to the private storage under a name
that nobody can guess, and then gets its row. What fails on the way leaves nothing; what a killed process leaves is
named by no row, and `manage.py sweep_files` finds it.
"""

import logging
import os
import re
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.db import IntegrityError, transaction
from django.http import FileResponse, HttpResponseRedirect
from django.utils.http import content_disposition_header

from exams.models import Attachment, Exam, attachment_name
from testpress.storage import INCOMING, private_storage

logger = logging.getLogger(__name__)

FIELD = "document"
NAMELESS = "document"
UNKNOWN_TYPE = "application/octet-stream"
LONGEST_NAME = 255
LONGEST_SUFFIX = 16
LINK_SECONDS = 300

_PART = r"[A-Za-z0-9!#$&^_.+-]{1,127}"
_MEDIA_TYPE = re.compile(f"{_PART}/{_PART}")
_LINKS = signing.TimestampSigner(salt="exams.attachments")


class NoSuchExam(Exception):
    """The exam is not there (any more)."""


# --- Arriving --------------------------------------------------------------------------------------------------------


class Upload(FileUploadHandler):
    """The part `document` of a multipart body, written to a scratch file as it arrives. Use: `with Upload() as upload`.

    Afterwards `is_there`, `file_name`, `content_type` and `size` (bytes) tell of it; `is_too_large`: it was over the
    limit, and is not kept; `is_repeated`: there were several. Other files are read over.
    """

    chunk_size = 256 * 1024

    def __init__(self, limit=None):
        super().__init__()
        self.limit = settings.ATTACHMENT_LIMIT if limit is None else limit
        self.path = self.scratch = None
        self.is_there = self.is_too_large = self.is_repeated = False
        self.size = 0

    def new_file(self, field_name, file_name, content_type, *args, **kwargs):
        if field_name != FIELD or self.scratch:
            self.is_repeated |= field_name == FIELD
            raise SkipFile
        self.file_name = clean_name(file_name)
        self.content_type = clean_type(content_type)
        folder = Path(settings.PRIVATE_ROOT) / INCOMING
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, self.path = tempfile.mkstemp(dir=folder)
        self.scratch = os.fdopen(descriptor, "wb")

    def receive_data_chunk(self, raw_data, start):
        self.size += len(raw_data)
        if self.size > self.limit:
            # The rest is read all the same: the parameters that sign the request may come after the file.
            self.is_too_large = True
            self.discard()
        else:
            self.scratch.write(raw_data)

    def file_complete(self, file_size):
        if not self.is_too_large:
            self.scratch.flush()
            os.fsync(self.scratch.fileno())  # the row must not outlive it
            self.scratch.close()
        self.is_there = True

    def discard(self):
        """Removes the scratch file, if it is still there."""
        if self.scratch:
            with suppress(OSError):  # a full disk, once more
                self.scratch.close()
        if self.path:
            with suppress(FileNotFoundError):  # it was moved to its place
                os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.discard()


class _Arrived(File):
    """A complete scratch file. A local storage moves it, another one reads it."""

    def __init__(self, path):
        super().__init__(open(path, "rb"), name=path)  # noqa: SIM115  (File closes it)

    def temporary_file_path(self):
        return self.name


def clean_name(file_name: str) -> str:
    """A file name without a path, control characters and blanks around it, of at most 255 characters.

    `%22`, `%0D` and `%0A` are read as what browsers and most clients write so in multipart: a quote and line breaks
    (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data).
    """
    name = file_name.replace("%22", '"').replace("%0D", "").replace("%0A", "")
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(character for character in name if character.isprintable()).strip()
    if name in ("", ".", ".."):
        return NAMELESS
    if len(name) <= LONGEST_NAME:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix) > LONGEST_SUFFIX:
        suffix = ""
    return name[: LONGEST_NAME - len(suffix)] + suffix


def clean_type(content_type: str | None) -> str:
    """The media type that the sender declared, if it has the form of one."""
    content_type = (content_type or "").strip().lower()
    return content_type if _MEDIA_TYPE.fullmatch(content_type) else UNKNOWN_TYPE


# --- Stored and removed ----------------------------------------------------------------------------------------------


def store(exam_id: int, upload: Upload, *, now: datetime) -> Attachment:
    """Stores a complete upload as an attachment of the exam.

    :raises NoSuchExam: there is no such exam; nothing is kept.
    """
    storage = private_storage()
    with _Arrived(upload.path) as file:
        # Before the transaction: nobody shall wait for a bucket while it holds the database.
        name = storage.save(attachment_name(), file)
    try:
        with transaction.atomic():
            if not Exam.objects.filter(pk=exam_id).exists():
                raise NoSuchExam
            return Attachment.objects.create(
                exam_id=exam_id,
                file=name,
                file_name=upload.file_name,
                content_type=upload.content_type,
                size=upload.size,
                created=now,
            )
    except BaseException as error:
        remove_file(name)
        if isinstance(error, IntegrityError):  # the exam was deleted meanwhile
            raise NoSuchExam from None
        raise


@transaction.atomic
def delete(exam_id: int, attachment_id: int) -> bool:
    """Deletes the attachment, and its file with the commit; whether it was there."""
    attachment = Attachment.objects.select_for_update().filter(exam=exam_id, pk=attachment_id).first()
    if attachment is None:
        return False
    attachment.delete()
    return True


def remove_file_of(instance, **kwargs):
    """Receives `post_delete` of Attachment: also what a cascade or a queryset deletes."""
    name = instance.file.name
    if name:
        transaction.on_commit(lambda: remove_file(name))


def remove_file(name):
    """Removes a file. One that cannot be removed is only logged: `sweep_files` will."""
    try:
        private_storage().delete(name)
    except Exception:
        logger.exception("A file could not be removed: %s", name)


# --- Given out -------------------------------------------------------------------------------------------------------


def link(attachment: Attachment) -> str:
    """An address that whoever holds it may download from for five minutes, absolute or from this server's root."""
    storage = private_storage()
    if isinstance(storage, FileSystemStorage):
        return f"/attachments/{_LINKS.sign(attachment.pk)}/"
    parameters = {
        "ResponseContentDisposition": content_disposition_header(True, attachment.file_name),
        "ResponseContentType": attachment.content_type,
    }
    return storage.url(attachment.file.name, parameters=parameters, expire=LINK_SECONDS)


def linked(token: str) -> Attachment | None:
    """The attachment of a link's token; None: it was made up, has expired, or the attachment is gone."""
    try:
        return Attachment.objects.filter(pk=_LINKS.unsign(token, max_age=LINK_SECONDS)).first()
    except (signing.BadSignature, ValueError):
        return None


def download(attachment: Attachment):
    """The response that gives the file out: always as a download, never for the browser to look into.

    :raises FileNotFoundError: the row has lost its file.
    """
    storage = private_storage()
    if not isinstance(storage, FileSystemStorage):
        return HttpResponseRedirect(link(attachment))
    response = FileResponse(
        storage.open(attachment.file.name),
        as_attachment=True,
        filename=attachment.file_name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
