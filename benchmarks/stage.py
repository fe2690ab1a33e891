"""The stage of a run: students with tokens, five exams of a hundred questions, and attempts in the state a phase needs.

What is few is made by the application itself. What is many is one such row, copied in the database with another student
or attempt in it: so it has every column that the application writes, whatever columns there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from accounts.models import Batch, Institute, User
from accounts.tokens import StudentToken
from attempts import lifecycle
from attempts.models import Attempt, AttemptItem
from exams.models import Answer, Course, Exam, ExamQuestion, Question, Subject

PASSWORD = "open sesame 42"  # noqa: S105  (of made-up students on a database that is dropped)
EXAMS, QUESTIONS, ANSWERS = 5, 100, 4
SPARE = 200  # students beyond those of a phase, for the passes that count statements and profile
HISTORIES = 200  # students with a page full of finished attempts
HISTORY = 5  # finished attempts of each of them at each exam but the first
WORDS = (
    "the commission of the state shall lay before the assembly each year an account of what it has received and spent "
    "and of the works that were begun under the acts named above"
).split()


@dataclass(frozen=True)
class Student:
    id: int
    username: str
    token: str


@dataclass
class Stage:
    """Students, the exam they take, and (where they have been laid out) their attempts and answer sheets."""

    students: list[Student]
    exam: Exam
    questions: list[int]  # ids, in the paper's order
    answers: dict[int, list[int]]  # ids, by question
    attempts: list[int] = field(default_factory=list)  # ids, by student
    items: list[list[int]] = field(default_factory=list)  # ids, by student, in the paper's order
    histories: list[list[int]] = field(default_factory=list)  # ids of finished attempts, by student


def build(students: int) -> Stage:
    """The stage, on an empty database; nobody has an attempt at the first exam yet."""
    call_command("migrate", interactive=False, verbosity=0)
    cache.clear()
    with transaction.atomic():
        Institute.objects.get_or_create(pk=Institute.ID, defaults={"name": "Benchmark"})
        batch = Batch.objects.create(name="EEE")
        users = _users("student", students + SPARE, batch)
        exams = _exams(batch)
    questions = list(
        ExamQuestion.objects.filter(exam=exams[0]).order_by("order", "id").values_list("question_id", flat=True)
    )
    answers: dict[int, list[int]] = {}
    for question, answer in Answer.objects.order_by("order", "id").values_list("question", "pk"):
        answers.setdefault(question, []).append(answer)
    cast = [Student(user.pk, user.username, str(StudentToken.for_user(user))) for user in users]
    stage = Stage(cast, exams[0], questions, answers)
    stage.histories = _histories(users[:HISTORIES], exams[1:])
    settle()
    return stage


def _users(stem, number, batch):
    first = User(username="first")
    first.set_password(PASSWORD)  # one hash for all: checking it costs what checking any costs
    users = User.objects.bulk_create(
        (
            User(
                username=f"{stem}{n:06d}",
                email=f"{stem}{n:06d}@example.com",
                first_name="Asha",
                last_name=f"Rao {n}",
                password=first.password,
            )
            for n in range(number)
        ),
        batch_size=1000,
    )
    User.batches.through.objects.bulk_create(
        (User.batches.through(user_id=user.pk, batch_id=batch.pk) for user in users), batch_size=5000
    )
    return users


def _exams(batch):
    subject = Subject.objects.create(name="Polity")
    course = Course.objects.create(name="TNPSC")
    bank = Question.objects.bulk_create(
        Question(
            question_html=f"<p>{n}. {_text(n, 30)}?</p>", subject=subject, explanation_html=f"<p>{_text(n, 40)}</p>"
        )
        for n in range(QUESTIONS)
    )
    Answer.objects.bulk_create(
        Answer(question=question, order=k, text_html=f"<p>{_text(n + k, 6)}</p>", is_correct=k == n % ANSWERS)
        for n, question in enumerate(bank)
        for k in range(ANSWERS)
    )
    exams = Exam.objects.bulk_create(
        Exam(
            title=f"General Studies {n + 1}",
            slug=f"general-studies-{n + 1}",
            description=f"<p>{_text(n, 40)}</p>",
            course=course,
            start_date=timezone.now() - timedelta(days=n + 1),
            duration=timedelta(hours=3),
            mark_per_question="1.00",
            negative_marks="0.25",
            enable_ranks=True,
        )
        for n in range(EXAMS)
    )
    ExamQuestion.objects.bulk_create(
        ExamQuestion(exam=exam, question=question, order=n) for exam in exams for n, question in enumerate(bank)
    )
    for exam in exams:
        exam.batches.add(batch)
        exam.refresh_from_db()
    return exams


def _text(seed, words):
    return " ".join(WORDS[(seed * 7 + k * (1 + seed % 5)) % len(WORDS)] for k in range(words))


# --- Attempts, by copying one ----------------------------------------------------------------------------------------


def _copy(model, template, source, replaced):
    """Inserts copies of the rows of `model` that `template` (a condition on `t`) finds, one for each row of `source`,
    with the columns of `replaced` set to expressions.
    """
    columns = [f.column for f in model._meta.concrete_fields if not f.primary_key]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(str(replaced.get(column, f't."{column}"')) for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, {source} WHERE {template}")  # noqa: S608


def _finished_attempt(exam, user):
    """One that the application ended, to copy; its sheet is thrown away."""
    attempt, _ = lifecycle.start(exam, user)
    attempt = lifecycle.end(attempt.pk, user)
    AttemptItem.objects.filter(attempt=attempt).delete()
    return attempt


# What makes finished attempts differ: 60 to 99 questions answered, some of them wrongly, in two hours or so.
# `a.r` is a number that looks random.
RESULTS = {
    "score": "(20 + a.r % 60) - 0.25 * (a.r / 64 % 40)",
    "percentage": "20 + a.r % 60",
    "correct_count": "20 + a.r % 60",
    "incorrect_count": "a.r / 64 % 40",
    "unanswered_count": "greatest(0, 80 - a.r % 60 - a.r / 64 % 40)",
    "seconds_taken": "1800 + a.r % 7200",
    "remaining_time": "interval '3 hours' - make_interval(secs => 1800 + a.r % 7200)",
    "state": "'Completed'",
}


def finished(exam: Exam, template: Attempt, first: int, last: int, numbers: int) -> None:
    """Finished attempts of the users with ids from `first` to `last` at `exam`: `numbers` of each, the first ranked."""
    source = f"""(SELECT u AS user_id, n AS number, abs(hashint8(u * 31 + n * 7 + {exam.pk}))::bigint AS r
                  FROM generate_series({first}, {last}) u, generate_series(1, {numbers}) n) a"""  # noqa: S608
    dates = "t.date - make_interval(mins => (a.r % 50000)::int)"
    replaced = RESULTS | {
        "exam_id": exam.pk,
        "user_id": "a.user_id",
        "number": "a.number",
        "ranked": "a.number = 1",
        "date": dates,
        "last_started_time": dates,
    }
    _copy(Attempt, f"t.id = {template.pk}", source, replaced)


def _histories(users, exams):
    spare = User.objects.create(username="template")
    spare.batches.set(Batch.objects.all())
    template = _finished_attempt(exams[0], spare)
    for exam in exams:
        finished(exam, template, users[0].pk, users[-1].pk, HISTORY)
    mine: dict[int, list[int]] = {user.pk: [] for user in users}
    rows = Attempt.objects.filter(user__in=mine).order_by("pk").values_list("user", "pk")
    for user, attempt in rows:
        mine[user].append(attempt)
    return list(mine.values())


def crowd(stage: Stage, users: int, numbers: Sequence[int]) -> None:
    """So many more users, each with `numbers` finished attempts at the exams in turn, and no sheets."""
    sample = User.objects.get(pk=stage.students[0].id)
    replaced = {"username": "'crowd' || a.n", "email": "'crowd' || a.n || '@example.com'"}
    _copy(User, f"t.id = {sample.pk}", f"generate_series(1, {users}) a(n)", replaced)
    ids = User.objects.filter(username__startswith="crowd").aggregate(first=Min("pk"), last=Max("pk"))
    members, batch = User.batches.through._meta.db_table, sample.batches.get().pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {members} (user_id, batch_id) SELECT u, %s FROM generate_series(%s::bigint, %s::bigint) u",  # noqa: S608
            [batch, ids["first"], ids["last"]],
        )
    template = Attempt.objects.filter(pk=stage.histories[0][0]).get()
    for exam, each in zip(Exam.objects.order_by("pk"), numbers, strict=True):
        finished(exam, template, ids["first"], ids["last"], each)
    cache.clear()
    settle()


def clear(stage: Stage) -> None:
    """Takes the students' attempts at the exam away, and every answer sheet."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {AttemptItem._meta.db_table}")
        cursor.execute(
            f"DELETE FROM {Attempt._meta.db_table} WHERE exam_id = %s AND user_id BETWEEN %s AND %s",  # noqa: S608
            [stage.exam.pk, stage.students[0].id, stage.students[-1].id],
        )
    stage.attempts, stage.items = [], []
    cache.clear()
    settle()


def lay_out(stage: Stage) -> None:
    """Gives every student a running attempt at the exam, begun now, nine in ten of its questions answered."""
    clear(stage)
    template_user = User.objects.get(username="template")
    Attempt.objects.filter(user=template_user, exam=stage.exam).delete()
    template, _ = lifecycle.start(stage.exam, template_user)
    users = f"(SELECT generate_series({stage.students[0].id}, {stage.students[-1].id}) AS user_id) a"
    _copy(Attempt, f"t.id = {template.pk}", users, {"user_id": "a.user_id"})
    sheets = f"""(SELECT a.id AS attempt_id, k.question_id, k.ids FROM {Attempt._meta.db_table} a,
                  (SELECT question_id, array_agg(id ORDER BY "order", id) AS ids FROM {Answer._meta.db_table}
                   GROUP BY question_id) k
                  WHERE a.exam_id = {stage.exam.pk} AND a.user_id BETWEEN {stage.students[0].id}
                    AND {stage.students[-1].id} ORDER BY a.id) a"""  # noqa: S608
    _copy(
        AttemptItem,
        f't.attempt_id = {template.pk} AND t.question_id = a.question_id ORDER BY a.attempt_id, t."order", t.id',
        sheets,
        {
            "attempt_id": "a.attempt_id",
            "selected_answers": """CASE (a.attempt_id * 7 + t."order") % 10 WHEN 0 THEN '[]'::jsonb
                ELSE jsonb_build_array(a.ids[1 + (a.attempt_id * 13 + t."order" * 3 + t."order" / 4) % 4]) END""",
            "duration": """CASE (a.attempt_id * 7 + t."order") % 10 WHEN 0 THEN NULL
                ELSE make_interval(secs => 20 + t."order") END""",
        },
    )
    stage.attempts = list(
        Attempt.objects.filter(exam=stage.exam, user__in=[s.id for s in stage.students])
        .order_by("user")
        .values_list("pk", flat=True)
    )
    places = {attempt: n for n, attempt in enumerate(stage.attempts)}
    stage.items = [[] for _ in stage.attempts]
    rows = AttemptItem.objects.filter(attempt__in=stage.attempts).order_by("attempt", "order", "id")
    for attempt, item in rows.values_list("attempt", "pk").iterator(chunk_size=50_000):
        stage.items[places[attempt]].append(item)
    cache.clear()
    settle()


def settle() -> None:
    """Statistics are fresh and nothing waits to be written: what a stage did is no part of what a phase costs."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def settings_shown() -> dict[str, str]:
    """The database's settings that decide, as the servers' own connections have them."""
    names = ("server_version", "synchronous_commit", "fsync", "full_page_writes", "shared_buffers", "statement_timeout")
    shown = {}
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute("SELECT current_setting(%s)", [name])
            shown[name] = cursor.fetchone()[0]
    return shown


def end_some(stage: Stage, number: int) -> None:
    """Ends the first so many attempts."""
    users = User.objects.in_bulk([student.id for student in stage.students[:number]])
    for student, attempt in zip(stage.students[:number], stage.attempts, strict=False):
        lifecycle.end(attempt, users[student.id])
