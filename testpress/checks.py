"""System checks: configuration that would be unsafe or lose files stops the start, or is warned of."""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.files)
def private_files_apart(app_configs, **kwargs):
    """Exam attachments must not lie where `/media/` serves from."""
    media, private = (Path(root).resolve() for root in (settings.MEDIA_ROOT, settings.PRIVATE_ROOT))
    if media == private or media in private.parents or private in media.parents:
        return [
            Error("MEDIA_ROOT and PRIVATE_ROOT must lie apart: what is below MEDIA_ROOT is public.", id="files.E001")
        ]
    return []
