"""`manage.py sweep_files`: removes stored files that no row names."""

from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage, storages
from django.core.management import BaseCommand
from django.db.models import FileField
from django.utils import timezone

from testpress.storage import INCOMING, PrivateStorage


def places():
    """All that the apps store: pairs of a storage and a folder in it."""
    return [
        (default_storage, "i"),  # images
        (default_storage, "n"),  # notes
        (storages["private"], "a"),  # exams' attachments
        (PrivateStorage(), INCOMING),  # uploads whose process was killed, always local and never named by a row
    ]


class Command(BaseCommand):
    help = (
        "Removes the files below i/ and n/ of the media storage and below a/ and incoming/ of the private one that no "
        "row names, such as those of a request that was cut off. Safe to repeat, and while the server runs."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only list what would be removed.")
        parser.add_argument(
            "--hours",
            type=float,
            default=24,
            help="Leave files younger than this alone: a request may be about to name them (default: %(default)s).",
        )

    def handle(self, *, dry_run, hours, **options):
        oldest_kept = timezone.now() - timedelta(hours=hours)
        # Listed before the rows are read: a file that is stored meanwhile is not in the list.
        stored = [(storage, name) for storage, folder in places() for name in files_below(storage, folder)]
        named = names_in_rows()
        removed = 0
        for storage, name in stored:
            if name in named or not is_older(storage, name, oldest_kept):
                continue
            removed += 1
            if dry_run:
                self.stdout.write(name)
            else:
                storage.delete(name)
        self.stdout.write(f"{'would remove' if dry_run else 'removed'} {removed} of {len(stored)} files")


def files_below(storage, folder):
    """The names of all files below `folder` of the storage."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for file in files:
        yield f"{folder}/{file}"
    for inner in folders:
        yield from files_below(storage, f"{folder}/{inner}")


def names_in_rows():
    """Every name that a file field of any model holds."""
    names = set()
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                rows = model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)
                names.update(rows.iterator())
    return names


def is_older(storage, name, moment):
    try:
        return storage.get_modified_time(name) < moment
    except FileNotFoundError:  # removed meanwhile
        return False
