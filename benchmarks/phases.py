"""The phases: what the clients of each ask, in which state the stage has to be for it, and what is to be reached."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import stage as staging
from benchmarks.client import Operations, request
from benchmarks.stage import PASSWORD, QUESTIONS, Stage

API = "/api/v2.1"
PAGES = range(1, QUESTIONS // 20 + 1)
EMPTY, RUNNING, ENDED, ANY = "nobody has begun", "everybody has begun", "some have ended", "any"
REVIEWED = 400  # students whose ended attempts are reviewed in turn


@dataclass(frozen=True)
class Phase:
    """`aim`: what is to be reached, in parts of the baseline's rate (of log-in: log-ins a second and core).

    `once`: a student can do it once only, so that the phase ends when the students are used up.
    """

    name: str
    what: str
    state: str
    make: Callable[[Stage], Operations]
    check: Callable[[Stage, Sequence[dict]], bool]
    aim: float | None = None
    once: bool = False

    def operations(self, stage: Stage, students: int) -> Operations:
        """The n-th operation; beyond the students there are no more where each can do it once."""
        make = self.make(stage)
        if not self.once:
            return make
        return lambda n: make(n) if n < students else None


def answer_of(stage: Stage, n: int) -> tuple[int, int, int]:
    """What the n-th save does: the student's place, the item's id, the answer's id. No item twice in 400,000."""
    students = len(stage.students) - staging.SPARE
    round_, student = divmod(n, students)
    place = (round_ + student) % QUESTIONS
    chosen = stage.answers[stage.questions[place]][(n + round_ // QUESTIONS) % staging.ANSWERS]
    return student, stage.items[student][place], chosen


def _selected(chosen):
    return json.dumps({"selected_answers": [chosen], "review": False}).encode()


def _save(stage):
    def operation(n):
        student, item, chosen = answer_of(stage, n)
        path = f"{API}/attempts/{stage.attempts[student]}/questions/{item}/"
        return (request("PUT", path, stage.students[student].token, _selected(chosen)),)

    return operation


def _bare(stage):
    def operation(n):
        student, item, chosen = answer_of(stage, n)
        path = f"/save/{stage.attempts[student]}/{item}/"
        return (request("PUT", path, stage.students[student].token, _selected(chosen)),)

    return operation


def _log_in(stage):
    def operation(n):
        body = json.dumps({"username": stage.students[n].username, "password": PASSWORD}).encode()
        return (request("POST", f"{API}/auth-token/", body=body),)

    return operation


def _of_student(stage, path, method="GET"):
    """Operations of one request, by one student after the other; `path` is below the API, with their attempt in it."""
    students = len(stage.students)

    def operation(n):
        n %= students
        attempt = stage.attempts[n] if stage.attempts else None
        return (request(method, f"{API}/{path.format(attempt=attempt)}", stage.students[n].token),)

    return operation


def _paper(stage, kind, number):
    """All pages of a student's sheet, one after the other as `next` leads; `number` of the students, in turn."""

    number = min(number, len(stage.attempts))

    def operation(n):
        n %= number
        token, path = stage.students[n].token, f"{API}/attempts/{stage.attempts[n]}/{kind}/"
        return [request("GET", path if page == 1 else f"{path}?page={page}", token) for page in PAGES]

    return operation


def _history(stage):
    def operation(n):
        n %= len(stage.histories)
        return (request("GET", f"{API}/attempts/", stage.students[n].token),)

    return operation


def _one_of_history(stage):
    def operation(n):
        turn, n = divmod(n, len(stage.histories))
        attempt = stage.histories[n][turn % len(stage.histories[n])]
        return (request("GET", f"{API}/attempts/{attempt}/", stage.students[n].token),)

    return operation


ALL = {
    phase.name: phase
    for phase in [
        Phase(
            "bare",
            "baseline: three raw statements in a transaction, PyJWT",
            RUNNING,
            _bare,
            lambda stage, answers: len(answers[0]["selected_answers"]) == 1,
        ),
        Phase(
            "log-in",
            "POST auth-token/",
            EMPTY,
            _log_in,
            lambda stage, answers: answers[0]["token"].count(".") == 2,
            aim=30,
            once=True,
        ),
        Phase(
            "list",
            "GET exams/",
            EMPTY,
            lambda stage: _of_student(stage, "exams/"),
            lambda stage, answers: len(answers[0]["results"]) == staging.EXAMS,
            aim=0.5,
        ),
        Phase(
            "start",
            "POST exams/<slug>/attempts/",
            EMPTY,
            lambda stage: _of_student(stage, f"exams/{stage.exam.slug}/attempts/", "POST"),
            lambda stage, answers: answers[0]["state"] == "Running" and answers[0]["total_questions"] == QUESTIONS,
            aim=0.35,
            once=True,
        ),
        Phase(
            "questions",
            "GET attempts/<id>/questions/, all 5 pages",
            RUNNING,
            lambda stage: _paper(stage, "questions", len(stage.students)),
            lambda stage, answers: sum(len(page["results"]) for page in answers) == QUESTIONS,
            aim=0.15,
        ),
        Phase(
            "save",
            "PUT attempts/<id>/questions/<id>/",
            RUNNING,
            _save,
            lambda stage, answers: len(answers[0]["selected_answers"]) == 1,
            aim=0.7,
        ),
        Phase(
            "heartbeat",
            "PUT attempts/<id>/heartbeat/",
            RUNNING,
            lambda stage: _of_student(stage, "attempts/{attempt}/heartbeat/", "PUT"),
            lambda stage, answers: answers[0]["state"] == "Running",
            aim=0.8,
        ),
        Phase(
            "end",
            "PUT attempts/<id>/end/, graded",
            RUNNING,
            lambda stage: _of_student(stage, "attempts/{attempt}/end/", "PUT"),
            lambda stage, answers: answers[0]["state"] == "Completed" and answers[0]["correct_count"] > 0,
            aim=0.3,
            once=True,
        ),
        Phase(
            "review",
            "GET attempts/<id>/review/, all 5 pages",
            ENDED,
            lambda stage: _paper(stage, "review", REVIEWED),
            lambda stage, answers: sum("is_correct" in str(page["results"]) for page in answers) == len(PAGES),
            aim=0.12,
        ),
        Phase(
            "attempt",
            "GET attempts/<id>/ of a finished one",
            ANY,
            _one_of_history,
            lambda stage, answers: answers[0]["rank"] != "NA" or answers[0]["percentile"] > 0,
        ),
        Phase(
            "attempts",
            "GET attempts/, 20 finished ones with rank and percentile",
            ANY,
            _history,
            lambda stage, answers: len(answers[0]["results"]) == 20 and answers[0]["results"][0]["percentile"] > 0,
        ),
    ]
}
STANDARD = ["log-in", "list", "start", "questions", "save", "heartbeat", "end", "review"]


def prepare(phase: Phase, stage: Stage, now: str | None) -> str | None:
    """Brings the stage, which is in the state `now`, into the one that the phase needs; gives the state after it."""
    if phase.state == EMPTY and now != EMPTY:
        staging.clear(stage)
    elif phase.state == RUNNING and now != RUNNING:
        staging.lay_out(stage)
    elif phase.state == ENDED:
        if now not in (RUNNING, ENDED):
            staging.lay_out(stage)
        staging.end_some(stage, REVIEWED)
    if phase.state == ANY:
        return now
    return {"start": None, "end": ENDED}.get(phase.name, phase.state)
