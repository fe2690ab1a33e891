"""System checks: configuration that would be unsafe or lose files stops the start, or is warned of."""

import ipaddress
import os
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Error, Tags, register
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError

from testpress import demo


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


@register(Tags.database)
def demo_stays_at_home(app_configs, databases=None, **kwargs):
    """Nobody else's machine reaches a server on which a demo password, known to everybody, works.

    As a check of the database it runs where those are asked for: by `serve`, `migrate`, and `check --database default`.
    """
    if "default" not in (databases or ()) or is_loopback(settings.HOST):
        return []
    candidates = get_user_model().objects.filter(username__in=(demo.STUDENT, demo.ADMIN), is_active=True)
    try:
        open_doors = [user.username for user in candidates.order_by("pk") if user.check_password(demo.PASSWORD)]
    except DatabaseError:  # no tables yet, or no database: others say so better
        return []
    return [
        Error(
            f"The password of the demo's log-in {username} is known to everybody, so the server may not listen on "
            f"HOST {settings.HOST}, where other machines reach it.",
            hint="Run `manage.py remove_demo`, or change the password, or serve on HOST=127.0.0.1.",
            id="demo.E001",
        )
        for username in open_doors
    ]


def is_loopback(host):
    """Whether only this machine itself reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
