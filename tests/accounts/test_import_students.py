"""manage.py import_students"""

from io import StringIO

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command

from accounts import importing
from accounts.models import Batch, User
from tests.conftest import PASSWORD, Api, make_user

HEADER = "username,password,first_name,last_name,email,phone,batches"


@pytest.fixture
def run(tmp_path, db):
    """Imports a file of these lines (text or bytes); gives what was printed."""

    def run(*lines, header=HEADER, **options):
        file = tmp_path / "students.csv"
        parts = [part if isinstance(part, bytes) else part.encode() for part in (header, *lines)]
        file.write_bytes(b"\n".join(parts) + b"\n")
        out = StringIO()
        call_command("import_students", str(file), stdout=out, **options)
        return out.getvalue()

    return run


@pytest.fixture
def refused(run):
    """Imports a file that must be refused; gives the listed lines and the last word. Nothing may have changed."""

    def refused(*lines, **options):
        before = table()
        err = StringIO()
        with pytest.raises(CommandError) as error:
            run(*lines, stderr=err, **options)
        assert table() == before
        assert error.value.returncode == 1
        assert "\n" not in str(error.value)
        return err.getvalue().splitlines(), str(error.value)

    return refused


def table():
    """All users and batches."""
    return [
        (*row, sorted(User.objects.get(pk=row[0]).batches.values_list("name", flat=True)))
        for row in User.objects.order_by("pk").values_list()
    ], list(Batch.objects.values_list("name", flat=True))


def student(username):
    user = User.objects.get(username=username)
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "phone": user.phone,
        "batches": [batch.name for batch in user.batches.all()],
    }


# --- Making ---


def test_import_creates(run):
    """New students should be made, with their batches, and be able to log in."""
    Batch.objects.create(name="EEE")
    printed = run(
        "esha,open sesame 43,Esha,Menon,esha@example.com,9043570576,EEE;ECE",
        "farid,open sesame 44,,,,,",
    )

    assert printed == "created 2, updated 0\n"
    assert student("esha") == {
        "first_name": "Esha",
        "last_name": "Menon",
        "email": "esha@example.com",
        "phone": "9043570576",
        "batches": ["ECE", "EEE"],
    }
    assert student("farid") == {"first_name": "", "last_name": "", "email": "", "phone": "", "batches": []}
    for username, password in (("esha", "open sesame 43"), ("farid", "open sesame 44")):
        Api().post("auth-token/", {"username": username, "password": password})
    assert not User.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_import_byte_order_mark(run, start):
    """UTF-8 should be read with and without the mark that spreadsheets write."""
    run("esha,secret 43,ஈஷா,,,,", header=start + HEADER)
    assert student("esha")["first_name"] == "ஈஷா"


def test_import_spreadsheet_dialect(run):
    """Windows line ends, quoted cells, blank lines and blanks around cells should be read."""
    printed = run(
        '"esha","sec,ret ""43""", Esha ,"Menon",,,"EEE ; ECE;;\r',
        'EEE"\r',
        "\r",
        ",,,,,,\r",
        header=HEADER.replace(",", " , ") + "\r",
    )
    assert printed == "created 1, updated 0\n"
    assert student("esha") == {
        "first_name": "Esha",
        "last_name": "Menon",
        "email": "",
        "phone": "",
        "batches": ["ECE", "EEE"],
    }


def test_import_column_order(run):
    """The columns may stand in any order."""
    run("EEE,9,e@example.com,Menon,Esha,secret 43,esha", header=",".join(reversed(HEADER.split(","))))
    assert student("esha") == {
        "first_name": "Esha",
        "last_name": "Menon",
        "email": "e@example.com",
        "phone": "9",
        "batches": ["EEE"],
    }


def test_import_password_as_typed(run):
    """A password should be taken as it stands, commas and quotes included."""
    run('esha,"a,b ""c"" ;é",,,,,')
    Api().post("auth-token/", {"username": "esha", "password": 'a,b "c" ;é'})


def test_import_header_only(run):
    """A file without students should be fine."""
    assert run() == "created 0, updated 0\n"


# --- Updating ---


def test_import_updates(run, asha):
    """Existing students should be updated, whatever the case of the username's letters; the username stays."""
    printed = run("ASHA,,Aasha,Iyer,new@example.com,123,ECE;NEET")
    assert printed == "created 0, updated 1\n"
    assert student("asha") == {
        "first_name": "Aasha",
        "last_name": "Iyer",
        "email": "new@example.com",
        "phone": "123",
        "batches": ["ECE", "NEET"],
    }


def test_import_empty_cells(run, asha):
    """An empty cell should change nothing."""
    before = table()
    assert run("asha,,,,,,") == "created 0, updated 1\n"
    assert run("asha,  , , ,,, ; ") == "created 0, updated 1\n"
    assert table() == before


def test_import_keeps_the_rest(run, asha, balu):
    """What has no column should stay, and so should who is not in the file."""
    asha.city, asha.is_active = "Chennai", False
    asha.save()
    before = student("balu")
    run("asha,,,,,77,")
    asha.refresh_from_db()
    assert (asha.city, asha.is_active, asha.phone, asha.first_name) == ("Chennai", False, "77", "Asha")
    assert student("balu") == before


def test_import_keeps_passwords(run, asha):
    """The password of an existing student should stay, and their log-in go on."""
    api = Api(asha)
    run("asha,another 43,,,,,")
    api.get("me/")
    Api().post("auth-token/", {"username": "asha", "password": PASSWORD})


def test_import_sets_passwords(run, asha, balu):
    """With --set-passwords the file's passwords should hold and log-ins end; an empty cell still changes nothing."""
    api = Api(asha)
    run("asha,another 43,,,,,", "balu,,,,,,", set_passwords=True)
    api.get("me/", status=401)
    Api().post("auth-token/", {"username": "asha", "password": "another 43"})
    Api().post("auth-token/", {"username": "balu", "password": PASSWORD})


def test_import_again(run):
    """The same file again should update all and change nothing."""
    lines = [f"student{n},secret 43,Name {n},,s{n}@example.com,{n},EEE;B{n % 3}" for n in range(20)]
    assert run(*lines) == "created 20, updated 0\n"
    before = table()
    assert run(*lines) == "created 0, updated 20\n"
    assert table() == before


def test_import_batches_of_different_case(run, asha):
    """A batch's name should be taken as it is written."""
    run("asha,,,,,,eee")
    assert student("asha")["batches"] == ["eee"]


# --- Bad rows ---


def test_import_bad_rows(refused, asha, teacher, admin):
    """Every bad row should be listed with its line and reason, and nothing be written."""
    lines, last = refused(
        "esha,secret 43,,,,,EEE",
        ",secret 43,,,,,",
        "new,,,,,,",
        "two words,secret 43,,,,,",
        "mail,secret 43,,,not an address,,",
        f"long,secret 43,{'x' * 151},,,{'9' * 21},",
        "Teacher,,,,,,",
        "admin,,,,,,",
        "ESHA,secret 43,,,,,",
        "short,secret 43",
        f"batch,secret 43,,,,,EEE;{'b' * 101}",
        "blank, secret 43,,,,,",
        f"huge,{'x' * 4097},,,,,",
        "asha,,,,also wrong,,",
    )
    assert lines == [
        "line 3: username: This field cannot be blank.",
        "line 4: password: a new student needs one",
        "line 5: username: Enter a valid username. This value may contain only letters, "
        "numbers, and @/./+/-/_ characters.",
        "line 6: email: Enter a valid email address.",
        "line 7: first_name: Ensure this value has at most 150 characters (it has 151).",
        "line 7: phone: Ensure this value has at most 20 characters (it has 21).",
        "line 8: username: Teacher is a member of staff",
        "line 9: username: admin is a member of staff",
        "line 10: username: ESHA is in line 2 already",
        "line 11: there are 2 cells, and 7 columns",
        "line 12: batches: name: Ensure this value has at most 100 characters (it has 101).",
        "line 13: password: it begins or ends with a blank",
        "line 14: password: it has more than 4096 characters",
        "line 15: email: Enter a valid email address.",
    ]
    assert last == "Nothing was imported: 14 problems."


def test_import_line_numbers(refused):
    """A row should be called by the line on which it begins, also after cells of several lines."""
    lines, _ = refused('esha,secret 43,"two', 'lines",,,,', "", "new,,,,,,")
    assert lines == ["line 5: password: a new student needs one"]


def test_import_longest_username(run, refused):
    """A username should have 150 characters at most."""
    run(f"{'u' * 150},secret 43,,,,,")
    lines, _ = refused(f"{'v' * 151},secret 43,,,,,")
    assert lines == ["line 2: username: Ensure this value has at most 150 characters (it has 151)."]


# --- Bad files ---


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "username,password",
            "Missing columns: first_name, last_name, email, phone, batches. The columns are " + HEADER + ".",
        ),
        (HEADER + ",is_staff", "Unknown columns: 'is_staff'. The columns are " + HEADER + "."),
        (HEADER + ",phone", "A column is there twice."),
        (HEADER.replace(",", ";"), f"Unknown columns: '{HEADER.replace(',', ';')}'. The columns are {HEADER}."),
    ],
)
def test_import_header(refused, header, words):
    """A header without the columns should be refused in one sentence."""
    assert refused("esha,secret 43,,,,,", header=header) == ([], words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"\xff\xfe" + HEADER.encode("utf-16-le"), "is not UTF-8 text."),
        (HEADER.encode() + b"\n\xe9sha,x,,,,,", "is not UTF-8 text."),
        (HEADER.encode() + b"\nesha\0,x,,,,,", "holds NUL bytes: it is not a text file."),
        (HEADER.encode() + b'\n"esha,x,,,,,', "Line 2 is not CSV: unexpected end of data."),
        (HEADER.encode() + b'\n"es"ha,x,,,,,', "Line 2 is not CSV: ',' expected after '\"'."),
        (HEADER.encode() + b"\nesha," + b"x" * 200_000, "Line 2 is not CSV: field larger than field limit (131072)."),
    ],
)
def test_import_unreadable(db, tmp_path, content, words):
    """A file that is no such CSV file should be refused in one sentence."""
    file = tmp_path / "students.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError) as error:
        call_command("import_students", str(file))
    assert str(error.value).endswith(words)
    assert str(error.value).count(". ") == 0


def test_import_too_large(db, tmp_path, monkeypatch):
    """A file of more than its limit should be refused before it is read."""
    monkeypatch.setattr(importing, "FILE_LIMIT", 5 * 1024 * 1024)
    file = tmp_path / "students.csv"
    file.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    with pytest.raises(CommandError, match=r"is larger than 5 MiB\.$"):
        call_command("import_students", str(file))


@pytest.mark.parametrize("name", ["missing.csv", ".", "/dev/null"])
def test_import_no_file(db, tmp_path, name):
    """What is no file should be refused in one sentence."""
    with pytest.raises(CommandError, match=r"is not a file\.$"):
        call_command("import_students", str(tmp_path / name))


# --- Cost and races ---


def test_import_statements(run, django_assert_max_num_queries):
    """A thousand students should cost few statements, new or not."""
    lines = [f"student{n},secret 43,Name {n},,s{n}@example.com,{n},EEE;B{n % 5}" for n in range(1000)]
    with django_assert_max_num_queries(60):
        assert run(*lines) == "created 1000, updated 0\n"
    changed = [line.replace("Name", "Named").replace("EEE;", "") for line in lines]
    with django_assert_max_num_queries(60):
        assert run(*changed) == "created 0, updated 1000\n"
    assert student("student7") == {
        "first_name": "Named 7",
        "last_name": "",
        "email": "s7@example.com",
        "phone": "7",
        "batches": ["B2"],
    }


def test_import_hashes_before_the_transaction(run, monkeypatch):
    """A student who is made while the file's passwords are hashed should stop the import, in one sentence."""

    def meanwhile(password):
        if not User.objects.filter(username="ESHA").exists():
            make_user("ESHA")
        return make_password(password)

    monkeypatch.setattr(importing, "_hashes", lambda rows: {row.line: meanwhile(row.password) for row in rows})
    with pytest.raises(CommandError, match=r"changed by someone else meanwhile; try again\.$"):
        run("farid,secret 43,,,,,EEE", "esha,secret 43,,,,,")
    assert list(User.objects.values_list("username", flat=True)) == ["ESHA"]
    assert not Batch.objects.exists()
