"""Exam files: strict reading of the JSON that `import_exam` takes, and the exam made of it, all or nothing.

Every wrong value is found and reported by its path (`questions[3].answers[0].is_correct`) before anything is written.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.middleware import institute_time_zone
from accounts.models import Batch
from exams import papers
from exams.models import (
    LONGEST_EXAM,
    RESERVED_SLUGS,
    UNCATEGORIZED,
    Answer,
    Course,
    EssayTopic,
    Exam,
    ExamQuestion,
    Question,
    Subject,
)
from testpress.html import clean_html, has_content
from testpress.slugs import slug_format

REQUIRED = object()
LONGEST_FILE = 64 * 1024 * 1024
CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)", re.ASCII)
DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


class ImportRefused(ValueError):
    """The file cannot be taken. `errors` lists (path, message); the path is empty where it is the file as a whole."""

    def __init__(self, errors):
        self.errors = list(errors)
        super().__init__("; ".join(self.lines()))

    def lines(self):
        return [f"{path}: {message}" if path else message for path, message in self.errors]


class _Wrong(Exception):
    """A value that does not fit; the message goes with the path of what is being read."""


@dataclass(frozen=True)
class Imported:
    """What an import made."""

    exam: Exam
    types: Counter
    answers: int

    def __str__(self):
        questions = sum(self.types.values())
        kinds = ", ".join(f"{self.types[kind]} {kind}" for kind in Question.Type.values if self.types[kind])
        return (
            f"{self.exam.slug}: {questions} question{'' if questions == 1 else 's'}{f' ({kinds})' if kinds else ''}, "
            f"{self.answers} answer{'' if self.answers == 1 else 's'}"
        )


# --- From bytes to values --------------------------------------------------------------------------------------------


class _Object(dict):
    """A JSON object that remembers which of its keys came more than once."""

    twice = ()


def _object(pairs):
    result = _Object(pairs)
    if len(result) < len(pairs):
        result.twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    return result


def _no_number(text):
    raise ValueError(f"{text} is no JSON number")


def parse(content: bytes) -> dict:
    """The JSON value of a file's bytes (UTF-8, with or without a byte order mark), for `import_exam`.

    Raises ImportRefused where there is none.
    """
    if len(content) > LONGEST_FILE:
        raise ImportRefused([("", f"The file is larger than {LONGEST_FILE // 1024**2} MiB.")])
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError as error:
        problem = f"The file is not UTF-8 text (byte {error.start})."
    except json.JSONDecodeError as error:
        problem = f"The file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
    except RecursionError:
        problem = "The file is nested too deep."
    except (ValueError, ArithmeticError):
        problem = "The file is not JSON: a number in it is too large, or none at all."
    raise ImportRefused([("", problem)])


# --- From values to the exam's ---------------------------------------------------------------------------------------


class _Reader:
    """Reads the keys of one JSON object; what is wrong with them is added to `errors` by path, and reading goes on."""

    def __init__(self, value, path, errors):
        self.path, self.errors = path, errors
        if not isinstance(value, dict):
            self.wrong(None, f"must be an object, not {_kind(value)}")
            self.value, self.unread = None, set()
        else:
            self.value, self.unread = value, set(value)
            for key in getattr(value, "twice", ()):
                self.wrong(key, "is given more than once")

    def wrong(self, key, message):
        self.errors.append((self._path(key), message))

    def _path(self, key):
        if key is None:
            return self.path
        name = key if isinstance(key, str) and re.fullmatch(r"\w{1,60}", key, re.ASCII) else _quoted(key)
        return f"{self.path}.{name}" if self.path else name

    def take(self, key, read, default=REQUIRED):
        """The key's value as `read` gives it; `default` where it is missing, None where it is wrong."""
        if self.value is None:
            return None
        self.unread.discard(key)
        if key not in self.value:
            if default is REQUIRED:
                self.wrong(key, "is required")
                return None
            return default
        try:
            return read(self.value[key])
        except _Wrong as problem:
            self.wrong(key, str(problem))
            return None

    def take_list(self, key, read, default=REQUIRED):
        """As `take`, of a list whose items `read(item, path)` reads; it may report errors of its own."""
        items = self.take(key, _list, default)
        if items is None:
            return None
        values = []
        for number, item in enumerate(items):
            path = f"{self._path(key)}[{number}]"
            try:
                values.append(read(item, path))
            except _Wrong as problem:
                self.errors.append((path, str(problem)))
        return values

    def close(self):
        """A key that nobody asked for may be a misspelt one, so it is an error."""
        for key in self.value or ():
            if key in self.unread:
                self.wrong(key, "is not a key of this format")


def _kind(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for types, name in ((str, "text"), ((int, float, Decimal), "a number"), (dict, "an object"), (list, "a list")):
        if isinstance(value, types):
            return name
    return type(value).__name__


def _quoted(text):
    """Text as JSON in ASCII, shortened: what can be printed anywhere, in one line."""
    text = str(text)
    return json.dumps(text if len(text) <= 40 else text[:40] + "…")


def _string(value):
    if not isinstance(value, str):
        raise _Wrong(f"must be text, not {_kind(value)}")
    if "\x00" in value:
        raise _Wrong("must not hold a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Wrong("must not hold half a character (a lone surrogate)") from None
    return value


def _line(longest):
    def read(value):
        text = _string(value).strip()
        if not text:
            raise _Wrong("must not be empty")
        if len(text) > longest:
            raise _Wrong(f"must have at most {longest} characters, not {len(text)}")
        return text

    return read


def _html(value):
    try:
        return clean_html(_string(value))
    except ValidationError as error:
        raise _Wrong(error.messages[0]) from None


def _shown_html(value):
    html = _html(value)
    if not has_content(html):
        raise _Wrong("must not be empty (once what is not allowed in HTML is taken out)")
    return html


def _or_null(read):
    return lambda value: None if value is None else read(value)


def _flag(value):
    if not isinstance(value, bool):
        raise _Wrong(f"must be true or false, not {_kind(value)}")
    return value


def _list(value):
    if not isinstance(value, list):
        raise _Wrong(f"must be a list, not {_kind(value)}")
    return value


def _whole(least, most):
    def read(value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise _Wrong(f"must be a whole number, not {'a fraction' if _is_fraction(value) else _kind(value)}")
        if not least <= value <= most:
            raise _Wrong(f"must be a whole number from {least} to {most}")
        return value

    return read


def _is_fraction(value):
    return isinstance(value, (float, Decimal))


def _marks(value):
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        number = Decimal(value)
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        # A float's shortest form is what was written.
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    elif isinstance(value, str):
        raise _Wrong('must be a decimal number such as "0.25"')
    else:
        raise _Wrong(f"must be a decimal number, not {_kind(value)}")
    # Compared, not computed with: arithmetic on 1E+999999999 overflows.
    if not number.is_finite() or not Decimal("-9999.99") <= number <= Decimal("9999.99"):
        raise _Wrong("must be from 0 to 9999.99")
    if number < 0:
        raise _Wrong("must not be negative: what a wrong answer costs is written as a positive number too")
    if number != round(number, 2):
        raise _Wrong("must have at most two decimal places")
    return round(number, 2) + 0  # not -0.00


def read_clock(text: str) -> timedelta:
    """The duration that `H:MM:SS` says, hours up to four digits; ValueError where it does not."""
    match = CLOCK.fullmatch(text)
    if match is None:
        raise ValueError("A duration is written H:MM:SS.")
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _duration(value):
    try:
        duration = read_clock(_string(value))
    except ValueError:
        raise _Wrong('must be H:MM:SS, such as "0:30:00"') from None
    if not timedelta(0) < duration <= LONGEST_EXAM:
        raise _Wrong(f"must be longer than 0:00:00 and at most {LONGEST_EXAM // timedelta(hours=1)}:00:00")
    return duration


def _moment(value):
    """An ISO 8601 date and time; without a zone it is the institute's, a date alone its midnight there."""
    try:
        if not MOMENT.fullmatch(_string(value)):
            raise ValueError
        moment = datetime.fromisoformat(value)
        if not 1970 < moment.year < 9999:
            raise ValueError
    except ValueError:
        raise _Wrong('must be a date and time such as "2024-01-01T09:00:00+05:30"') from None
    if timezone.is_naive(moment):
        moment = moment.replace(tzinfo=institute_time_zone())
    return moment.astimezone(UTC)


def _slug(value):
    slug = _line(Exam._meta.get_field("slug").max_length)(value)
    try:
        slug_format(slug)
    except ValidationError as error:
        raise _Wrong(error.messages[0]) from None
    if slug in RESERVED_SLUGS:
        raise _Wrong(f"{slug} is a reserved word")
    return slug


def _question_type(value):
    if value not in Question.Type.values:
        raise _Wrong("must be one of " + ", ".join(f'"{kind}"' for kind in Question.Type.values))
    return value


def _no_repeats(names):
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise _Wrong(f"names {_quoted(repeated[0])} more than once")


def _read_exam(data):
    """(fields of Exam, course's name, batches' names, questions as dicts); raises ImportRefused with every error."""
    errors = []
    reader = _Reader(data, "", errors)
    take = reader.take
    fields = {
        "title": take("title", _line(255)),
        "slug": take("slug", _slug, ""),
        "description": take("description", _html, ""),
        "start_date": take("start_date", _moment),
        "end_date": take("end_date", _or_null(_moment), None),
        "duration": take("duration", _duration),
        "mark_per_question": take("mark_per_question", _marks, Decimal("1.00")),
        "negative_marks": take("negative_marks", _marks, Decimal("0.25")),
        "variable_mark_per_question": take("variable_mark_per_question", _flag, False),
        "template_type": take("template_type", _whole(1, 32767), 1),
        "allow_retake": take("allow_retake", _flag, True),
        "max_retakes": take("max_retakes", _or_null(_whole(-1, 2**31 - 1)), None),
        "allow_pause": take("allow_pause", _flag, True),
        "enable_ranks": take("enable_ranks", _flag, False),
        "rank_publishing_date": take("rank_publishing_date", _or_null(_moment), None),
        "allow_pdf": take("allow_pdf", _flag, False),
        "show_answers": take("show_answers", _flag, True),
        "published": take("published", _flag, True),
    }
    course = take("course", _line(100), UNCATEGORIZED)
    batches = reader.take_list("batches", lambda item, path: _line(100)(item), [])
    questions = reader.take_list("questions", lambda item, path: _read_question(item, path, errors))
    reader.close()

    if fields["start_date"] and fields["end_date"] and fields["end_date"] <= fields["start_date"]:
        reader.wrong("end_date", "must come after start_date")
    try:
        _no_repeats(batches or ())
    except _Wrong as problem:
        reader.wrong("batches", str(problem))
    if errors:
        raise ImportRefused(errors)
    return fields, course, batches, questions


def _read_question(value, path, errors):
    reader = _Reader(value, path, errors)
    before = len(errors)
    question = {
        "question_html": reader.take("question_html", _shown_html),
        "type": reader.take("type", _question_type, Question.Type.SINGLE),
        "subject": reader.take("subject", _line(100), UNCATEGORIZED),
        "direction": reader.take("direction", _or_null(_html), None),
        "explanation_html": reader.take("explanation_html", _html, ""),
        "mark": reader.take("mark", _or_null(_marks), None),
        "negative_mark": reader.take("negative_mark", _or_null(_marks), None),
        "answers": reader.take_list("answers", lambda item, path: _read_answer(item, path, errors), []),
        "essay_topics": reader.take_list("essay_topics", lambda item, path: _line(500)(item), []),
    }
    reader.close()
    # A rule about the answers together would only repeat what is wrong with one of them.
    own = [where for where, _ in errors[before:]]
    if question["type"] is not None and not any(where.startswith((f"{path}.answers", f"{path}.type")) for where in own):
        correct = [answer["is_correct"] for answer in question["answers"]]
        if problem := papers.wrong_key(question["type"], correct):
            reader.wrong("answers", problem)
    if question["essay_topics"] and question["type"] not in (None, Question.Type.ESSAY):
        reader.wrong("essay_topics", "only an essay (E) has topics")
    return question


def _read_answer(value, path, errors):
    reader = _Reader(value, path, errors)
    answer = {
        "text_html": reader.take("text_html", _shown_html),
        "is_correct": reader.take("is_correct", _flag, False),
    }
    reader.close()
    return answer


# --- From the values to rows -----------------------------------------------------------------------------------------


def import_exam(data: dict) -> Imported:
    """The exam that `data` describes (see `parse` for files), made, or put in the place of the one with its slug.

    Raises ImportRefused, with nothing written, where a value is wrong or the exam to replace has attempts.
    """
    fields, course, batches, questions = _read_exam(data)
    try:
        with transaction.atomic():
            exam = _write(fields, course, batches, questions)
    except IntegrityError:
        # Only another writer at the same moment gets here: it took the slug, or a name, first.
        raise ImportRefused([("", "Somebody else has just written the same exam. Try again.")]) from None
    return Imported(
        exam=exam,
        types=Counter(question["type"] for question in questions),
        answers=sum(len(question["answers"]) for question in questions),
    )


def _write(fields, course, batches, questions):
    exam = Exam()
    # Locked first: nobody starts the exam that is being replaced. Only a slug that is given names one.
    if replaced := fields["slug"] and papers.lock(Exam.objects.filter(slug=fields["slug"])):
        [exam] = replaced
        if exam.frozen:
            raise ImportRefused([("slug", f"{exam.slug} has attempts already, so it cannot be replaced")])
        exam.paper_version += 1
    for name, value in fields.items():
        setattr(exam, name, value)
    exam.course = _named(Course, [course])[course]
    exam.save()
    exam.batches.set(_batches(batches))

    subjects = _named(Subject, [question["subject"] for question in questions])
    _write_questions(exam, questions, subjects, free=_clear(exam) if replaced else [])
    return exam


def _named(model, names):
    """The rows of a NamedGroup by name as given, whatever the case of its letters; missing ones are made."""

    def stored():
        return {row.name.upper(): row for row in model.objects.all()}

    wanted = {}
    for name in names:
        wanted.setdefault(name.upper(), name)
    rows = stored()
    if missing := [model(name=name) for key, name in wanted.items() if key not in rows]:
        # Another import may be making the same ones.
        model.objects.bulk_create(missing, ignore_conflicts=True)
        rows = stored()
    return {name: rows[name.upper()] for name in names}


def _batches(names):
    found = {batch.name: batch for batch in Batch.objects.filter(name__in=names)}
    if missing := [Batch(name=name) for name in names if name not in found]:
        Batch.objects.bulk_create(missing, ignore_conflicts=True)
        found = {batch.name: batch for batch in Batch.objects.filter(name__in=names)}
    return [found[name] for name in names]


def _write_questions(exam, questions, subjects, *, free):
    """The exam's questions, the first of them in the rows with the ids in `free`.

    Rows are used again because answer sheets refer to questions: before it deletes one, the database looks through
    every sheet there is.
    """
    rows = [
        Question(
            id=old,
            question_html=question["question_html"],
            direction=question["direction"],
            type=question["type"],
            subject=subjects[question["subject"]],
            explanation_html=question["explanation_html"],
        )
        for old, question in zip([*free, *[None] * len(questions)], questions, strict=False)
    ]
    Question.objects.bulk_create(
        [row for row in rows if row.pk],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["question_html", "direction", "type", "subject", "explanation_html"],
    )
    Question.objects.bulk_create([row for row in rows if not row.pk])
    if spare := free[len(questions) :]:
        Question.objects.filter(pk__in=spare).delete()
    Answer.objects.bulk_create(
        Answer(question=row, order=order, **answer)
        for row, question in zip(rows, questions, strict=True)
        for order, answer in enumerate(question["answers"])
    )
    EssayTopic.objects.bulk_create(
        EssayTopic(question=row, order=order, title=title)
        for row, question in zip(rows, questions, strict=True)
        for order, title in enumerate(question["essay_topics"])
    )
    ExamQuestion.objects.bulk_create(
        ExamQuestion(
            exam=exam, question=row, order=order, mark=question["mark"], negative_mark=question["negative_mark"]
        )
        for order, (row, question) in enumerate(zip(rows, questions, strict=True))
    )


def _clear(exam) -> list[int]:
    """Takes the exam's questions out of it; the ids of those that no other exam uses, bare of answers and topics.

    No attempt refers to those either: the exam of such an attempt would still have them.
    """
    own = list(exam.exam_questions.order_by("order", "id").values_list("question", flat=True))
    papers.lock_questions(own)
    exam.exam_questions.all().delete()
    used = set(ExamQuestion.objects.filter(question__in=own).values_list("question", flat=True))
    free = [question for question in own if question not in used]
    Answer.objects.filter(question__in=free).delete()
    EssayTopic.objects.filter(question__in=free).delete()
    return free
