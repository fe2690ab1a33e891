"""API credentials in the admin site."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import credentials
from accounts.models import ApiCredential
from tests.accounts.test_admin import Site, may
from tests.conftest import make_user

LIST, ADD = "accounts/apicredential/", "accounts/apicredential/add/"


@pytest.fixture
def keeper(teacher):
    """Staff who keep credentials, and may do nothing else."""
    return may(teacher, "view_apicredential", "add_apicredential", "change_apicredential", "delete_apicredential")


def shown(page, name):
    return re.search(rf'<code id="{name}">([^<]+)</code>', page)[1]


def test_the_secret_shows_once_on_the_page_that_answers(admin, teacher):
    site = Site(admin)

    page = site.page(ADD, {"user": teacher.pk, "name": "marks office"})

    row = ApiCredential.objects.get()
    secret = credentials.secret_of(row)
    assert (shown(page, "secret"), shown(page, "key")) == (secret, row.key)
    assert (row.user, row.name) == (teacher, "marks office")
    assert "no-store" in site.response["Cache-Control"]
    for path in (LIST, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/history/", ""):
        assert secret not in site.page(path)
    assert secret not in str(site.cookies)
    assert not any(secret in str(session.get_decoded()) for session in Session.objects.all())
    assert not any(secret in entry.change_message for entry in LogEntry.objects.all())


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_the_secret_shows_whichever_button_is_pressed(button, admin, teacher):
    page = Site(admin).page(ADD, {"user": teacher.pk, "name": "", button: "1"})

    assert shown(page, "secret") == credentials.secret_of(ApiCredential.objects.get())


def test_the_list_tells_whose_and_when_used(admin, teacher):
    row, _ = credentials.create(teacher, "marks office")
    revoked, _ = credentials.create(admin)
    ApiCredential.objects.filter(pk=row.pk).update(last_used=timezone.now())
    ApiCredential.objects.filter(pk=revoked.pk).update(revoked=timezone.now())

    page = Site(admin).page(LIST)

    assert "marks office" in page
    assert row.key in page
    assert row.key not in Site(admin).page(f"{LIST}?user__id__exact={admin.pk}")
    assert row.key in Site(admin).page(f"{LIST}?q=teacher")
    assert revoked.key not in Site(admin).page(f"{LIST}?revoked__isempty=1")


def test_students_have_none(admin, asha):
    site = Site(admin)
    site.page(ADD, {"user": asha.pk, "name": ""})

    assert site.problems() == {"user": ["Only staff have API credentials."]}
    assert not ApiCredential.objects.exists()


def test_nobody_makes_one_for_who_may_do_more(keeper, admin):
    site = Site(keeper)
    other = make_user("other", is_staff=True)
    site.page(ADD, {"user": admin.pk, "name": ""})
    assert site.problems() == {"user": ["This user may do more than you."]}

    site.page(ADD, {"user": other.pk, "name": ""})
    assert ApiCredential.objects.get().user == other


def test_the_name_can_change_and_nothing_else(admin, teacher):
    row, secret = credentials.create(teacher, "old")

    Site(admin).page(f"{LIST}{row.pk}/change/", {"name": "new", "user": admin.pk, "key": "x"}, status=302)

    changed = ApiCredential.objects.get()
    assert (changed.name, changed.user, changed.key) == ("new", teacher, row.key)
    assert credentials.secret_of(changed) == secret


def test_revoking_ends_the_chosen_that_one_may_touch(keeper, admin):
    own, other = (credentials.create(user)[0] for user in (keeper, admin))
    site = Site(keeper)

    data = {"action": "revoke", "_selected_action": [own.pk, other.pk]}
    site.page(LIST, data, status=302)

    assert list(ApiCredential.objects.live()) == [other]
    first = ApiCredential.objects.get(pk=own.pk).revoked
    site.page(LIST, data, status=302)
    assert ApiCredential.objects.get(pk=own.pk).revoked == first
    assert LogEntry.objects.filter(object_id=own.pk, content_type__model="apicredential").count() == 1


def test_who_may_not_touch_one_may_not_delete_it(keeper, admin):
    row, _ = credentials.create(admin)
    site = Site(keeper)

    site.page(f"{LIST}{row.pk}/delete/", {"post": "yes"}, status=403)
    site.page(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}, status=403)
    assert ApiCredential.objects.exists()


@pytest.mark.parametrize("path", [LIST, ADD])
def test_staff_without_the_right_see_nothing(path, teacher):
    Site(teacher).page(path, status=403)
