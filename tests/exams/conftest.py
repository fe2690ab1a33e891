"""What the tests of attachments share."""

import pytest
from django.contrib.auth.models import Permission

from tests.conftest import make_user
from tests.exams.signed import SignedClient


@pytest.fixture
def clerk(db):
    """Staff who may see, add and delete attachments, and nothing else."""
    user = make_user("clerk", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__model="attachment").exclude(codename__startswith="change")
    )
    return user


@pytest.fixture
def system(clerk, private_files):
    """Another system's client, with a credential of `clerk`."""
    return SignedClient(clerk)


@pytest.fixture
def private_files(settings, tmp_path):
    """An empty place for private files; gives a function that lists them, also those that are still arriving."""
    settings.PRIVATE_ROOT = tmp_path / "private"
    return lambda: sorted(
        str(path.relative_to(settings.PRIVATE_ROOT)) for path in settings.PRIVATE_ROOT.rglob("*") if path.is_file()
    )


@pytest.fixture
def committing(django_capture_on_commit_callbacks):
    """`with committing(): …` does at the block's end what waits for the commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
