"""The demo's students, read from `students.csv`.

All are made up, and so are their numbers: none of India's mobile numbers begins with 5.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from accounts.models import Gender, State

STUDENTS_FILE = Path(__file__).parent / "students.csv"
EMAIL_DOMAIN = "demo.example"  # .example belongs to nobody


class Student(NamedTuple):
    username: str
    fields: dict[str, Any]  # of accounts.User, the username among them
    batches: tuple[str, ...]


def students() -> list[Student]:
    with STUDENTS_FILE.open(newline="", encoding="utf-8") as file:
        return [_student(row) for row in csv.DictReader(file)]


def _student(row):
    batches = tuple(row.pop("batches").split(";"))
    row["gender"] = _code(Gender, row["gender"])
    row["state"] = _code(State, row["state"])
    row["birth_date"] = date.fromisoformat(row["birth_date"])
    return Student(row["username"], row, batches)


def _code(choices, label):
    return choices.values[choices.labels.index(label)]


def email(username: str) -> str:
    return f"{username}@{EMAIL_DOMAIN}"
