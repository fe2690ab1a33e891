"""The files of pictures and notes: their names on storage, and that they go when their row lets go of them."""

import re
import secrets
from pathlib import PurePosixPath

from django.db import models, transaction

from accounts.photos import remove

LONGEST_NAME = 150  # bytes; file systems stop at 255, and storages may append to a name that is taken


def picture_name(instance, filename):
    """`i/<32 hex digits>.<extension>`: nobody guesses it, and it says nothing."""
    return f"i/{secrets.token_hex(16)}{PurePosixPath(filename).suffix}"


def note_name(instance, filename):
    """`n/<32 hex digits>/<file name>`: only who was given the address finds it, and it downloads under its own name."""
    path = PurePosixPath(re.sub(r"[\x00-\x1f\x7f]", "", filename.replace("\\", "/")))
    suffix = re.sub(r"[^.\w]", "", path.suffix)[:16]
    stem = re.sub(r"[^-\w.]", "", path.stem.strip().replace(" ", "_")).strip(".") or "document"
    stem = stem.encode()[: LONGEST_NAME - len(suffix.encode())].decode(errors="ignore")
    return f"n/{secrets.token_hex(16)}/{stem}{suffix}"


class RowWithFiles(models.Model):
    """A row whose `file_fields` name files: replaced ones are removed when that is committed.

    Files of deleted rows are removed too, by `remove_files_of`, which hears of every deletion.
    """

    file_fields = ()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        before = self.file_names()
        try:
            with transaction.atomic():
                # Locked: of two who replace the same file at once, the later must see what the earlier put there.
                stored = type(self).objects.select_for_update().filter(pk=self.pk).first()
                super().save(*args, **kwargs)
                if stored and (replaced := stored.file_names() - self.file_names()):
                    transaction.on_commit(lambda: remove(replaced))
        except BaseException:
            remove(self.file_names() - before)
            raise

    def file_names(self) -> set[str]:
        """The names of its files on storage."""
        files = [getattr(self, field) for field in self.file_fields]
        return {file.name for file in files if file and file._committed}


def remove_files_of(instance, **kwargs):
    """Receives `post_delete`: what a cascade or a queryset deletes is asked nothing else."""
    names = instance.file_names()
    transaction.on_commit(lambda: remove(names))
