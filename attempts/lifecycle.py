"""The life of an attempt: the only writer of its state, clock and result.

Every verb is atomic: it locks the attempt's row, then reads the clock once, changes, and saves named columns. Saves and
heartbeats, which come by the hundred a second, first do it without a lock, in one statement that writes only if the
attempt is as they have read it; who finds it changed, or its time over, takes the lock.

Each verb takes `now` for tests and for made-up pasts; left out, it is the moment after the reading. What it refuses it
raises as an error of `attempts/errors.py` after its transaction, so that a completed attempt stays completed.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.utils import timezone

from accounts.authentication import USER, Bearer
from accounts.models import User
from attempts import errors
from attempts.clock import ZERO, Clock
from attempts.grading import grade
from attempts.models import Attempt, AttemptItem
from exams import papers
from exams.access import COURSE, EXAM
from exams.models import Exam, ExamQuestion, Question
from exams.papers import PaperQuestion
from testpress import rows
from testpress.exceptions import NotAvailable
from testpress.rows import Columns, for_update

START_TRIES = 5

# The verbs' rows go by hand-written SQL (`testpress/rows.py`): these calls come by the hundred a second.
ITEM, ATTEMPT = Columns(AttemptItem, "i"), Columns(Attempt, "a")
CHOICE = Columns(AttemptItem, "i", ["question_id", "selected_answers"])
# Of the attempt and the exam, what a save needs.
SAVED_ATTEMPT = Columns(
    Attempt,
    "a",
    [
        *("id", "exam_id", "user_id", "number", "state"),
        *("time_allowed", "remaining_time", "last_started_time", "unattributed_time"),
    ],
)
SAVED_EXAM = Columns(Exam, "e", ["id", "paper_version"])
ITEMS, PLACES = (f'"{model._meta.db_table}"' for model in (AttemptItem, ExamQuestion))

CLOCK = ("remaining_time", "last_started_time", "unattributed_time")

# Who asks: known already, or to be confirmed by the row that is read with the attempt.
Asking = User | Bearer


# --- Starting --------------------------------------------------------------------------------------------------------


def start(exam: Exam, user: User, *, now: datetime | None = None) -> tuple[Attempt, bool]:
    """The student's running attempt at `exam`, begun now unless there is one; and whether it was begun now.

    A running attempt comes before any other check, its clock untouched. Where the exam knows no pauses and its time is
    over, it is completed and answered, and nothing is started.

    :raises NotAvailable: not visible to the student, or without questions.
    :raises ExamNotStarted: before the window; ExamEnded: after it.
    :raises RetakeNotAllowed: a second attempt where there are none; NoAttemptsLeft: more than the limit.
    """
    for _ in range(START_TRIES):
        try:
            return _start(exam, user, now)
        except IntegrityError:
            # Another start of the same student was quicker; what it made is there now.
            continue
        except Exam.DoesNotExist:
            raise Http404 from None
    raise NotAvailable


@transaction.atomic
def _start(exam, user, now):
    papers.share(exam)
    found = rows.read(
        (ATTEMPT,),
        f"FROM {ATTEMPT.table} WHERE a.user_id = %s AND a.exam_id = %s ORDER BY a.number DESC LIMIT 1",
        [user.pk, exam.pk],
    )
    newest = found and found[0]
    now = now or timezone.now()
    if newest and not newest.is_completed:
        newest.exam, newest.user = exam, user
        newest.question_count = len(papers.paper_of(exam).questions)
        return _settled(newest, now), False
    _check_start_allowed(exam, user, used=newest.number if newest else 0, now=now)
    attempt = Attempt(
        exam=exam,
        user=user,
        number=newest.number + 1 if newest else 1,
        date=now,
        time_allowed=exam.duration,
        remaining_time=exam.duration,
        last_started_time=now,
    )
    rows.insert(attempt)
    attempt.question_count = _lay_out_sheet(attempt)
    if not attempt.question_count:
        raise NotAvailable
    return attempt, True


def _check_start_allowed(exam, user, *, used, now):
    if not exam.is_open(user):
        raise NotAvailable
    if not exam.has_started(now):
        raise errors.ExamNotStarted
    if exam.has_ended(now):
        raise errors.ExamEnded
    if used and not exam.allow_retake:
        raise errors.RetakeNotAllowed
    if exam.attempt_limit is not None and used >= exam.attempt_limit:
        raise errors.NoAttemptsLeft


def _lay_out_sheet(attempt) -> int:
    """An item for each question, in one statement whatever their number; how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {ITEMS} (attempt_id, question_id, "order", selected_answers) '  # noqa: S608
            f"""SELECT %s, question_id, "order", '[]' FROM {PLACES} WHERE exam_id = %s ORDER BY "order", id""",
            [attempt.pk, attempt.exam_id],
        )
        return cursor.rowcount


# --- The verbs of an attempt -----------------------------------------------------------------------------------------


def heartbeat(attempt_id: int, user: Asking, *, now: datetime | None = None) -> Attempt:
    """Charges the clock; answers a completed attempt as it is."""
    attempt = _read(attempt_id, user)
    moment = now or timezone.now()
    if attempt.is_completed or (not attempt.clock.is_over(moment) and _swap(attempt, attempt.clock.charged(moment))):
        return attempt
    with transaction.atomic():
        attempt = _locked(attempt_id, user)
        if not attempt.is_completed:
            _charge(attempt, now or timezone.now())
    return attempt


@transaction.atomic
def end(attempt_id: int, user: Asking, *, now: datetime | None = None) -> Attempt:
    """Completes and grades the attempt; answers a completed one as it is."""
    attempt = _locked(attempt_id, user)
    if not attempt.is_completed:
        _complete(attempt, attempt.clock.charged(now or timezone.now()))
    return attempt


def resume(attempt_id: int, user: Asking, *, now: datetime | None = None) -> Attempt:
    """Starts the clock anew after a pause, charging nothing; where the exam knows no pauses it charges as well.

    :raises AttemptCompleted: it is completed, or was found to be over.
    """
    with transaction.atomic():
        attempt = _locked(attempt_id, user)
        if not attempt.is_completed:
            now = now or timezone.now()
            if attempt.exam.allow_pause:
                _store_clock(attempt, attempt.clock.resumed(now))
            else:
                _charge(attempt, now)
    if attempt.is_completed:
        raise errors.AttemptCompleted
    return attempt


def save_answer(
    attempt_id: int, item_id: int, user: Asking, given: dict[str, Any], *, now: datetime | None = None
) -> AttemptItem:
    """Writes what `given` holds of `selected_answers`, `review`, `essay_text` and `essay_topic` into the item.

    Charges the clock and gives the item the time charged since the attempt's last save.

    :raises AttemptCompleted: it is completed, or was found to be over; nothing of the answer is kept.
    :raises rest_framework.exceptions.ValidationError: `given` does not fit the question; nothing is charged.
    """
    item = _read_item(attempt_id, item_id, user)
    clock = _answered(item, given, now or timezone.now())
    if clock and _swap(item.attempt, clock, item, [*given, "duration"]):
        return item
    with transaction.atomic():
        _locked(attempt_id, user)  # in a statement of its own: the next one sees what it has waited for
        item = _read_item(attempt_id, item_id, user)
        attempt, now = item.attempt, now or timezone.now()
        if clock := _answered(item, given, now):
            rows.write(item, [*given, "duration"])
            _store_clock(attempt, clock)
        elif not attempt.is_completed:
            _complete(attempt, attempt.clock.charged(now))
    if attempt.is_completed:
        raise errors.AttemptCompleted
    return item


@transaction.atomic
def close_if_expired(attempt_id: int, *, now: datetime | None = None) -> bool:
    """Completes an attempt that nobody can go on with; whether it did.

    Without pauses that is when the time is over; with pauses, when the exam's window has closed as well.
    """
    attempt = Attempt.objects.select_for_update(of=("self",)).select_related("exam", "user").get(pk=attempt_id)
    now = now or timezone.now()
    clock = attempt.clock
    if attempt.is_completed or not clock.is_over(now) or (attempt.exam.allow_pause and not attempt.exam.has_ended(now)):
        return False
    _complete(attempt, clock.charged(now))
    return True


def look(attempt_id: int, user: Asking, *, now: datetime | None = None) -> Attempt:
    """The attempt for a call that only reads. Nothing is written, unless its exam knows no pauses and its time is over:
    then it is completed first.
    """
    return _settled(_read(attempt_id, user), now or timezone.now())


# --- Inside a verb's transaction -------------------------------------------------------------------------------------


def _read(attempt_id, asking, *, lock="") -> Attempt:
    """The attempt of who asks, with all that the API shows of it."""
    found = rows.read(
        (ATTEMPT, USER, EXAM, COURSE),
        f"""FROM {ATTEMPT.table} JOIN {USER.table} ON u.id = a.user_id
        JOIN {EXAM.table} ON e.id = a.exam_id JOIN {COURSE.table} ON c.id = e.course_id WHERE a.id = %s {lock}""",
        [attempt_id],
    )
    if found is None:
        _refuse(asking, Http404)
    attempt, attempt.user, attempt.exam, attempt.exam.course = found
    _check_owner(attempt, asking)
    attempt.question_count = len(papers.paper_of(attempt.exam).questions)
    return attempt


def _locked(attempt_id, asking) -> Attempt:
    return _read(attempt_id, asking, lock=for_update("a"))


def _read_item(attempt_id, item_id, asking) -> AttemptItem:
    """The item with its attempt."""
    found = rows.read(
        (ITEM, SAVED_ATTEMPT, USER, SAVED_EXAM),
        f"""FROM {ITEM.table} JOIN {ATTEMPT.table} ON a.id = i.attempt_id JOIN {USER.table} ON u.id = a.user_id
        JOIN {EXAM.table} ON e.id = a.exam_id WHERE i.id = %s AND a.id = %s""",
        [item_id, attempt_id],
    )
    if found is None:
        _read(attempt_id, asking)
        raise Http404
    item, item.attempt, item.attempt.user, item.attempt.exam = found
    _check_owner(item.attempt, asking)
    return item


def _check_owner(attempt, asking):
    """The attempt, its user read with it, is of who asks, whose token is good."""
    if attempt.user_id != asking.pk:
        _refuse(asking, NotAvailable)
    if isinstance(asking, Bearer):
        asking.confirmed(attempt.user)


def _refuse(asking, error):
    """Tells nothing to the bearer of a token that has ended, not even that there is no such attempt."""
    if isinstance(asking, Bearer):
        asking.confirmed()
    raise error


def _store_clock(attempt, clock, *, with_columns=()):
    _set_clock(attempt, clock)
    rows.write(attempt, [*CLOCK, *with_columns])


def _swap(attempt, clock, item=None, names=()) -> bool:
    """Stores the clock, and of the item the named columns, if the attempt is as it was read; whether it was."""
    expected = {name: getattr(attempt, name) for name in ("state", *CLOCK)}
    _set_clock(attempt, clock)
    if item is None:
        return rows.write(attempt, CLOCK, expected=expected)
    return rows.write_both(attempt, CLOCK, item, names, expected=expected)


def _set_clock(attempt, clock):
    attempt.remaining_time = clock.remaining
    attempt.last_started_time = clock.last_started
    attempt.unattributed_time = clock.unattributed


def _charge(attempt, now):
    clock = attempt.clock
    if clock.is_over(now):
        _complete(attempt, clock.charged(now))
    else:
        _store_clock(attempt, clock.charged(now))


def _settled(attempt, now) -> Attempt:
    """The attempt, completed if its exam knows no pauses and its time is over; read without a lock, looked at again
    with it.
    """
    if attempt.is_completed or attempt.exam.allow_pause or not attempt.clock.is_over(now):
        return attempt
    with transaction.atomic():
        attempt = _locked(attempt.pk, attempt.user)
        if not attempt.is_completed and attempt.clock.is_over(now):
            _complete(attempt, attempt.clock.charged(now))
    return attempt


def _complete(attempt, clock):
    paper = papers.paper_of(attempt.exam)
    sheet = rows.Listing([CHOICE], f"FROM {CHOICE.table} WHERE i.attempt_id = %s", [attempt.pk], CHOICE.record)
    result = grade((paper.by_id[item.question_id], item.selected_answers) for item in sheet)
    attempt.state = Attempt.State.COMPLETED
    attempt.score = result.score
    attempt.percentage = result.percentage
    attempt.correct_count = result.correct_count
    attempt.incorrect_count = result.incorrect_count
    attempt.unanswered_count = result.unanswered_count
    attempt.seconds_taken = attempt.time_taken(clock.remaining) // timedelta(seconds=1)
    attempt.ranked = not attempt.user.is_staff and _is_first_completed(attempt)
    _store_clock(attempt, clock, with_columns=Attempt.RESULT_COLUMNS)


def _is_first_completed(attempt) -> bool:
    if attempt.number == 1:
        return True
    return not Attempt.objects.completed().filter(user=attempt.user_id, exam=attempt.exam_id).exists()


def _answered(item, given, now) -> Clock | None:
    """Puts `given` and the time into the item, and gives the clock as it is then; None where it is too late."""
    clock = item.attempt.clock
    if item.attempt.is_completed or clock.is_over(now):
        return None
    check_answer(papers.paper_of(item.attempt.exam).by_id[item.question_id], given)
    for name, value in given.items():
        setattr(item, f"{name}_id" if name == "essay_topic" else name, value)
    clock = clock.charged(now)
    item.duration = (item.duration or ZERO) + clock.unattributed
    return clock.attributed()


def check_answer(question: PaperQuestion, given: dict[str, Any]) -> None:
    """Whether `given` fits the question.

    :raises rest_framework.exceptions.ValidationError: by field, where it does not.
    """
    found: dict[str, str] = {}
    selected = given.get("selected_answers", [])
    if len(set(selected)) < len(selected):
        found["selected_answers"] = "An answer is given twice."
    elif not question.answer_ids.issuperset(selected):
        found["selected_answers"] = "Not an answer of this question."
    elif question.type == Question.Type.SINGLE and len(selected) > 1:
        found["selected_answers"] = "This question takes one answer."
    if given.get("essay_text") and question.type != Question.Type.ESSAY:
        found["essay_text"] = "This question takes no text."
    if given.get("essay_topic") is not None and given["essay_topic"] not in question.essay_topic_ids:
        found["essay_topic"] = "Not a topic of this question."
    if found:
        raise errors.unfit_answer(found)
