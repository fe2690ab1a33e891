"""Students from a CSV file.

Columns: `username,password,first_name,last_name,email,phone,batches`, in any order, UTF-8. A row whose username exists,
in any case of its letters, updates that student, and an empty cell changes nothing; other rows make new students, who
need a password. `batches` holds names joined by `;`; batches that do not exist are made, and those of an existing
student become exactly the ones listed.
"""

import csv
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import Batch, User

COLUMNS = ["username", "password", "first_name", "last_name", "email", "phone", "batches"]
TEXTS = ["first_name", "last_name", "email", "phone"]
FILE_LIMIT = 50 * 1024 * 1024  # bytes
PASSWORD_LIMIT = 4096  # characters; logging in takes no more


class Unreadable(Exception):
    """The file as a whole cannot be imported; says why in one sentence."""


class BadRows(Exception):
    """Some rows cannot be imported, so none was; `rows` holds (line, reason)."""

    def __init__(self, rows):
        super().__init__(f"{len(rows)} bad rows")
        self.rows = rows


@dataclass
class Row:
    """One student's cells, cleaned. `user_id` is set where the student exists."""

    line: int
    username: str
    password: str
    texts: dict[str, str]
    batches: list[str]
    user_id: int | None = None


def import_students(path, *, set_passwords=False) -> tuple[int, int]:
    """Imports the file at `path`, all of it or nothing; gives how many students were created and updated.

    Existing students get the file's passwords only with `set_passwords`, because a new one ends their log-ins.

    :raises Unreadable: the file is no such CSV file, or the database has changed meanwhile.
    :raises BadRows: with every bad row and its reason.
    """
    rows, problems = read(path)
    problems += _match(rows)
    if problems:
        raise BadRows(sorted(problems))
    hashes = _hashes([row for row in rows if row.password and (set_passwords or row.user_id is None)])
    try:
        with transaction.atomic():
            _write(rows, hashes)
    except (IntegrityError, OperationalError):  # a lost race, or a lock that was not to be had
        raise Unreadable("Students or batches were changed by someone else meanwhile; try again.") from None
    updated = sum(row.user_id is not None for row in rows)
    return len(rows) - updated, updated


# --- Reading ---------------------------------------------------------------------------------------------------------


def read(path) -> tuple[list[Row], list[tuple[int, str]]]:
    """The file's good rows, and the bad ones as (line, reason); the database is not asked.

    :raises Unreadable: the file as a whole is not as it must be.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    rows, problems, seen = [], [], {}
    columns, line = None, 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if columns is None:
                    columns = _header(cells)
                elif len(cells) != len(columns):
                    problems.append((line, f"there are {len(cells)} cells, and {len(columns)} columns"))
                else:
                    row, reasons = _row(line, dict(zip(columns, cells, strict=True)))
                    key = _key(row.username)
                    if row.username and seen.setdefault(key, line) != line:
                        reasons.append(f"username: {row.username} is in line {seen[key]} already")
                    problems += [(line, reason) for reason in reasons]
                    rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is not CSV: {error}.") from None
    if columns is None:
        raise Unreadable("The file is empty.")
    return rows, problems


def _text(path):
    path = Path(path)
    try:
        if not path.is_file():
            raise Unreadable(f"{path} is not a file.")
        if path.stat().st_size > FILE_LIMIT:
            raise Unreadable(f"{path} is larger than {FILE_LIMIT // 1024**2} MiB.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path} is not UTF-8 text.") from None
    if "\0" in text:
        raise Unreadable(f"{path} holds NUL bytes: it is not a text file.")
    return text


def _header(cells):
    columns = [cell.strip() for cell in cells]
    if unknown := [column for column in columns if column not in COLUMNS]:
        raise Unreadable(f"Unknown columns: {', '.join(map(repr, unknown))}. The columns are {','.join(COLUMNS)}.")
    if missing := [column for column in COLUMNS if column not in columns]:
        raise Unreadable(f"Missing columns: {', '.join(missing)}. The columns are {','.join(COLUMNS)}.")
    if len(columns) > len(COLUMNS):
        raise Unreadable("A column is there twice.")
    return columns


def _row(line, cells):
    """The row of these cells, and the reasons why it is a bad one."""
    reasons = []
    password = cells["password"]
    values = {column: cell.strip() for column, cell in cells.items()}
    row = Row(
        line=line,
        username=User.normalize_username(values["username"]),
        password=password if password.strip() else "",
        texts={column: values[column] for column in TEXTS if values[column]},
        batches=list(dict.fromkeys(name for part in values["batches"].split(";") if (name := part.strip()))),
    )
    for column, value in {"username": row.username, **row.texts}.items():
        reasons += _complaints(User, column, value)
    for name in row.batches:
        reasons += [f"batches: {reason}" for reason in _complaints(Batch, "name", name)]
    if row.password != row.password.strip():
        reasons.append("password: it begins or ends with a blank")
    elif len(row.password) > PASSWORD_LIMIT:
        reasons.append(f"password: it has more than {PASSWORD_LIMIT} characters")
    return row, reasons


def _complaints(model, column, value):
    try:
        model._meta.get_field(column).clean(value, None)
    except ValidationError as error:
        return [f"{column}: {message}" for message in error.messages]
    return []


def _key(username):
    return username.casefold()


# --- Matching and writing --------------------------------------------------------------------------------------------


def _match(rows):
    """Gives the rows of existing students their id; gives the bad rows as (line, reason)."""
    users = {}
    for user in User.objects.only("pk", "username", "is_staff", "is_superuser").iterator():
        users.setdefault(_key(user.username), user)
        # SQLite knows the case of ASCII letters only, so there may be two of the same key: the exact name goes first.
        users[user.username] = user
    problems = []
    for row in rows:
        user = users.get(row.username) or users.get(_key(row.username))
        if user is not None and (user.is_staff or user.is_superuser):
            problems.append((row.line, f"username: {row.username} is a member of staff"))
        elif user is not None:
            row.user_id = user.pk
        elif row.username and not row.password:
            problems.append((row.line, "password: a new student needs one"))
    return problems


def _hashes(rows):
    """The rows' password hashes by line. Argon2 lets other threads run, so all processors hash."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(
            zip((row.line for row in rows), pool.map(make_password, (row.password for row in rows)), strict=True)
        )


def _write(rows, hashes):
    existing = User.objects.select_for_update().order_by("pk").in_bulk([row.user_id for row in rows if row.user_id])
    created, changed = [], []
    for row in rows:
        values = row.texts | ({"password": hashes[row.line]} if row.line in hashes else {})
        if row.user_id is None:
            created.append(User(username=row.username, **values))
            continue
        user = existing.get(row.user_id)
        if user is None or user.is_staff or user.is_superuser:
            raise IntegrityError("The user was deleted or became staff after the rows were matched.")
        if any(getattr(user, column) != value for column, value in values.items()):
            for column, value in values.items():
                setattr(user, column, value)
            changed.append(user)
    created = {user.username: user.pk for user in User.objects.bulk_create(created)}
    # The rows are there and locked, so all of these conflict: an update, several times as fast as bulk_update.
    User.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=[*TEXTS, "password"])
    _write_batches({row.user_id or created[row.username]: row.batches for row in rows if row.batches})


def _write_batches(wanted):
    """Makes the batches of each user exactly those in `wanted`: {user id: names}."""
    names = {name for batches in wanted.values() for name in batches}
    Batch.objects.bulk_create([Batch(name=name) for name in sorted(names)], ignore_conflicts=True)
    ids = dict(Batch.objects.values_list("name", "pk"))
    membership = User.batches.through
    pairs = {(user_id, ids[name]) for user_id, batches in wanted.items() for name in batches}
    superfluous = []
    for pk, user_id, batch_id in membership.objects.values_list("pk", "user_id", "batch_id").iterator():
        if (user_id, batch_id) in pairs:
            pairs.remove((user_id, batch_id))
        elif user_id in wanted:
            superfluous.append(pk)
    for start in range(0, len(superfluous), 900):  # SQLite takes 999 parameters
        membership.objects.filter(pk__in=superfluous[start : start + 900]).delete()
    membership.objects.bulk_create(
        [membership(user_id=user_id, batch_id=batch_id) for user_id, batch_id in sorted(pairs)], ignore_conflicts=True
    )
