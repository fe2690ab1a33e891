"""`manage.py load_demo` on a database without the demo, and back to that with `remove_demo`."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command

from accounts.models import Batch, Institute, User
from catalog.models import Product
from exams.models import Exam
from testpress import demo
from testpress.demo import drawings, loading, sittings
from tests.conftest import make_exam, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def rows():
    """How many rows each model has, without the models that migrations fill."""
    filled = (ContentType, Permission)
    models = [model for model in apps.get_models(include_auto_created=True) if model not in filled]
    return {model._meta.label: count for model in models if (count := model._base_manager.count())}


def test_load_demo_comes_and_goes_without_a_trace(media, django_capture_on_commit_callbacks):
    """With its files; and on the way it says how to log in."""
    before, out = rows(), StringIO()

    call_command("load_demo", stdout=out)

    assert "student testpress, password demo" in out.getvalue()
    assert "staff   admin, password demo" in out.getvalue()
    assert authenticate(username="testpress", password="demo").is_staff is False
    assert authenticate(username="admin", password="demo").is_superuser is True
    assert len(files_in(media)) == 17  # a photo and its five sizes, three pictures in three sizes, two notes

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo", stdout=out)

    assert rows() == before
    assert files_in(media) == []
    assert Institute.objects.get().name == demo.UNNAMED_INSTITUTE


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: make_user("asha"), "users"),
        (make_exam, "exams and questions"),
        (lambda: Batch.objects.create(name="EEE"), "batches"),
        (lambda: Product.objects.create(title="Book"), "products"),
    ],
)
def test_load_demo_beside_real_data_is_refused(make, named, media):
    make()
    before = rows()

    with pytest.raises(CommandError, match=f"holds {named} that are not the demo's"):
        call_command("load_demo")

    assert rows() == before
    assert files_in(media) == []


def test_load_demo_if_empty_says_nothing_beside_real_data():
    asha, out = make_user("asha"), StringIO()

    call_command("load_demo", if_empty=True, stdout=out)

    assert out.getvalue() == ""
    assert list(User.objects.all()) == [asha]
    assert not Exam.objects.exists()


def test_load_demo_that_fails_leaves_nothing(media, monkeypatch):
    before = rows()

    def fail():
        assert files_in(media), "This should fail after files were stored."
        raise OSError("disk full")

    monkeypatch.setattr(drawings, "portrait", fail)

    with pytest.raises(OSError, match="disk full"):
        call_command("load_demo")

    assert rows() == before
    assert files_in(media) == []


def test_remove_demo_spares_a_log_in_of_the_same_name(admin):
    out = StringIO()

    call_command("remove_demo", stdout=out)

    assert out.getvalue() == "There is no demo here.\n"
    assert list(User.objects.all()) == [admin]


@pytest.mark.parametrize("hour", range(24))
def test_sittings_fit_the_windows_of_their_exams_at_any_hour_of_loading(hour):
    now = datetime(2026, 3, 2, hour, 59, tzinfo=UTC)

    for sitting in sittings.SITTINGS:
        start, end = loading.window(sitting.exam, now=now)
        longest = timedelta(hours=1)
        assert start <= now - sitting.ago
        assert now - sitting.ago + longest < (end or now)
