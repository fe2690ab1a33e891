"""While a demo password works, the server refuses to listen beyond loopback."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from testpress import demo
from testpress.checks import demo_stays_at_home, is_loopback
from tests.conftest import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def student():
    user = make_user(demo.STUDENT)
    user.set_password(demo.PASSWORD)
    user.save()
    return user


def found(databases=("default",)):
    return [error.id for error in demo_stays_at_home(None, databases=databases)]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "128.0.0.1", "localhost.example.com", "exams", "fe80::1", ""]
)
def test_not_loopback(host):
    assert not is_loopback(host)


def test_demo_password_with_open_host_stops_the_check(student, settings):
    settings.HOST = "0.0.0.0"

    with pytest.raises(CommandError, match=r"demo\.E001.*log-in testpress is known to everybody"):
        call_command("check", databases=["default"])


def test_demo_password_on_loopback_is_fine_and_costs_no_query(student, settings, statements):
    settings.HOST = "127.0.0.1"

    with statements(0):
        assert found() == []


def test_check_without_databases_asks_none(student, settings, statements):
    settings.HOST = "0.0.0.0"

    with statements(0):
        assert found(databases=None) == []


def test_changed_password_opens_the_host(student, settings):
    settings.HOST = "0.0.0.0"
    assert found() == ["demo.E001"]

    student.set_password("something of one's own")
    student.save()

    assert found() == []


def test_inactive_demo_user_opens_the_host(student, settings):
    settings.HOST = "0.0.0.0"
    student.is_active = False
    student.save()

    assert found() == []


def test_staff_log_in_is_looked_at_too(settings):
    settings.HOST = "exams.example.com"
    admin = make_user(demo.ADMIN, is_staff=True)
    admin.set_password(demo.PASSWORD)
    admin.save()

    assert found() == ["demo.E001"]


def test_missing_tables_are_no_finding(settings):
    settings.HOST = "0.0.0.0"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user RENAME TO elsewhere")

    assert found() == []
