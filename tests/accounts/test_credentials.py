"""API credentials: made, kept encrypted, revoked; and their keys changed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import credentials
from accounts.models import ApiCredential

OLD, NEW = "old key " * 5, "new key " * 5


@pytest.fixture
def credential(teacher):
    return credentials.create(teacher, "marks office")


def test_a_new_credential_has_a_key_and_a_secret(credential, teacher):
    row, secret = credential

    assert (row.user, row.name, row.revoked, row.last_used) == (teacher, "marks office", None, None)
    assert (len(row.key), len(secret)) == (22, 43)
    assert credentials.secret_of(ApiCredential.objects.get()) == secret


def test_no_two_are_alike(teacher):
    made = [credentials.create(teacher) for _ in range(3)]

    assert len({row.key for row, _ in made} | {secret for _, secret in made}) == 6
    assert teacher.api_credentials.count() == 3


def test_the_secret_cannot_be_read_in_the_database(credential):
    row, secret = credential
    stored = ApiCredential.objects.values().get()

    assert not any(secret in str(value) for value in stored.values())
    assert row.key not in stored["encrypted_secret"]


def test_the_same_secret_is_encrypted_differently_each_time():
    assert credentials.encrypted("secret") != credentials.encrypted("secret")


def test_another_secret_key_cannot_read_it(credential, settings):
    settings.CREDENTIAL_KEYS = [NEW]

    with pytest.raises(credentials.SecretUnreadable):
        credentials.secret_of(credential[0])


def test_keys_change_one_after_the_other(teacher, settings, capsys):
    settings.CREDENTIAL_KEYS = [OLD]
    row, secret = credentials.create(teacher)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert credentials.secret_of(row) == secret

    call_command("rotate_api_credentials")

    assert capsys.readouterr().out == "1 secrets are encrypted with the first key\n"
    settings.CREDENTIAL_KEYS = [NEW]
    row.refresh_from_db()
    assert credentials.secret_of(row) == secret


def test_a_secret_that_no_key_reads_is_told_and_left(credential, teacher, settings):
    settings.CREDENTIAL_KEYS = [NEW]
    _, readable = credentials.create(teacher)
    before = credential[0].encrypted_secret

    with pytest.raises(CommandError, match="1 secrets can be read with none of CREDENTIAL_KEYS"):
        call_command("rotate_api_credentials", stdout=StringIO())

    credential[0].refresh_from_db()
    assert credential[0].encrypted_secret == before
    assert credentials.secret_of(ApiCredential.objects.exclude(pk=credential[0].pk).get()) == readable


def test_revoking_is_for_good(credential):
    row, _ = credential
    now = timezone.now()

    assert credentials.revoke(ApiCredential.objects.all(), now=now) == 1
    assert credentials.revoke(ApiCredential.objects.all(), now=timezone.now()) == 0
    row.refresh_from_db()
    assert row.revoked == now
    assert not ApiCredential.objects.live().exists()


def test_the_command_prints_key_and_secret_once(teacher, capsys):
    call_command("create_api_credential", "Teacher", name="marks office")

    row = ApiCredential.objects.get()
    assert capsys.readouterr().out == f"key: {row.key}\nsecret: {credentials.secret_of(row)}\n"
    assert (row.user, row.name) == (teacher, "marks office")


@pytest.mark.parametrize(
    ("username", "name", "message"),
    [
        ("nobody", "", "There is no user nobody"),
        ("asha", "", "asha is no member of staff"),
        ("teacher", "x" * 101, "at most 100"),
    ],
)
def test_the_command_refuses(username, name, message, asha, teacher):
    with pytest.raises(CommandError, match=message):
        call_command("create_api_credential", username, name=name)

    assert not ApiCredential.objects.exists()
