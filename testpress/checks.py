"""System checks: configuration that would be unsafe or lose files stops the start, or is warned of."""

import os
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.core.files.storage import FileSystemStorage, default_storage


@register(Tags.files)
def private_files_apart(app_configs, **kwargs):
    """Exam attachments must not lie where `/media/` serves from."""
    media, private = (Path(root).resolve() for root in (settings.MEDIA_ROOT, settings.PRIVATE_ROOT))
    if media == private or media in private.parents or private in media.parents:
        return [
            Error("MEDIA_ROOT and PRIVATE_ROOT must lie apart: what is below MEDIA_ROOT is public.", id="files.E001")
        ]
    return []


@register(Tags.files)
def folders_can_be_written(app_configs, **kwargs):
    """A folder for files exists or can be made, and this process may write there."""
    names = ["PRIVATE_ROOT"]
    if isinstance(default_storage, FileSystemStorage):
        names.append("MEDIA_ROOT")
    return [
        Error(f"{name}: {getattr(settings, name)} is no folder that this process can write to.", id="files.E002")
        for name in names
        if not _can_be_written(Path(getattr(settings, name)))
    ]


def _can_be_written(folder):
    nearest = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
