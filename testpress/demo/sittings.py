"""Who took which exam of the demo, when and how well; played through `attempts/lifecycle.py` at moments of the past."""

import random
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.models import User
from attempts import lifecycle
from attempts.models import Attempt
from exams.models import Exam, Question
from exams.papers import PaperQuestion, paper_of
from testpress import demo

SEED = 2026


class Sitting(NamedTuple):
    """`right` and `wrong`: how many of the questions that have a key; the others stay unanswered.

    `used` is the time from the start to the end; None: the attempt is left running, its last save at `saved_until`.
    `essays` holds for the first essay questions the place of the topic (None where there are none) and the text.
    """

    exam: str
    username: str
    ago: timedelta
    right: int
    wrong: int
    used: timedelta | None
    saved_until: timedelta | None = None
    essays: tuple[tuple[int | None, str], ...] = ()


def _ago(days, hours):
    return timedelta(days=days, hours=hours)


def _time(minutes, seconds):
    return timedelta(minutes=minutes, seconds=seconds)


def _unwrapped(text):
    """Text as a student's browser sends it: a line for each paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


DIVYAS_DRAFT = _unwrapped("""\
A village council is small enough for its members to see what their decisions do. When the gram sabha votes money
for a tank, the same people walk past the tank for years, and ask where the money went if it is dry. That is why I
call it a school of democracy: in it one learns to argue with neighbours whom one will meet again tomorrow.

Its first lesson is""")

GURPREETS_ESSAY = _unwrapped("""\
Water is the one resource that nobody can fence in. The rain that a town lets run off its roads is the flood of the
next town and the drought of its own next summer; the well that one farmer deepens empties the well of another. A
warming century makes both halves of this worse: more of the rain falls in fewer days, and the dry months grow
hotter.

It follows that water can only be managed together. Where villages in dry districts have measured their ground water
in common and agreed in the autumn what to sow, the wells have lasted until the monsoon. No law made in a capital
could have set those limits, because nobody there knows the wells; but a law had to give the villages the right to
set them.

It may be said that a price would do the same with less talk. A price helps where there are meters, in cities and in
industry. It does little for those who cannot pay it, and nothing for a river that buys nothing.

To share water is therefore not charity. It is the cheapest way to have it.""")

GURPREETS_PRECIS = _unwrapped("""\
Working ruins. The stepwells of western India gave travellers coolness and company as well as water. Piped supply
brought them neglect, and some towns came to fear them. Those that have cleaned their wells find that they store the
rain and raise the ground water: monuments that still serve.""")

# Later starts last: a student's attempts at an exam are numbered in this order.
SITTINGS = (
    Sitting(demo.BANKING, "lakshmi", _ago(9, 5), 15, 1, _time(18, 10)),
    Sitting(demo.BANKING, "ananya", _ago(9, 3), 14, 1, _time(16, 42)),
    Sitting(demo.BANKING, "farhan", _ago(8, 6), 13, 2, _time(19, 20)),
    # Of equal scores the quicker ranks higher …
    Sitting(demo.BANKING, demo.STUDENT, _ago(8, 4), 12, 2, _time(15, 5)),
    Sitting(demo.BANKING, "meera", _ago(8, 2), 12, 2, _time(17, 48)),
    # … and who is as quick has the same rank.
    Sitting(demo.BANKING, "joel", _ago(7, 5), 11, 4, _time(19, 55)),
    Sitting(demo.BANKING, "nikhil", _ago(7, 3), 11, 4, _time(19, 55)),
    Sitting(demo.BANKING, "gurpreet", _ago(7, 1), 11, 3, _time(18, 30)),
    Sitting(demo.BANKING, "rubina", _ago(6, 4), 9, 5, _time(16, 0)),
    Sitting(demo.BANKING, "arun", _ago(6, 2), 8, 3, _time(20, 0)),
    Sitting(demo.BANKING, "selvi", _ago(5, 3), 6, 2, _time(12, 35)),
    Sitting(demo.BANKING, "kavya", _ago(5, 1), 7, 7, _time(14, 20)),
    Sitting(demo.GENERAL_STUDIES, "farhan", _ago(6, 5), 10, 1, _time(21, 15)),
    Sitting(demo.GENERAL_STUDIES, "rubina", _ago(5, 5), 6, 4, _time(23, 40)),
    Sitting(demo.GENERAL_STUDIES, "arun", _ago(4, 2), 7, 3, _time(19, 8)),
    Sitting(demo.POLITY, "lakshmi", _ago(11, 4), 7, 1, _time(9, 30)),
    Sitting(demo.POLITY, demo.STUDENT, _ago(11, 2), 4, 3, _time(13, 12)),
    Sitting(demo.POLITY, "tenzin", _ago(10, 3), 5, 2, _time(12, 50)),
    Sitting(demo.POLITY, demo.STUDENT, _ago(3, 2), 7, 1, _time(10, 26)),
    Sitting(
        *(demo.MAINS, "gurpreet", _ago(4, 3), 5, 1, _time(52, 30)),
        essays=((1, GURPREETS_ESSAY), (None, GURPREETS_PRECIS)),
    ),
    Sitting(
        *(demo.MAINS, demo.STUDENT, _ago(1, 3), 2, 0, None),
        saved_until=_time(21, 37),
        essays=((0, DIVYAS_DRAFT),),
    ),
    Sitting(demo.ELECTRONICS, "joel", _ago(3, 4), 5, 1, _time(14, 45)),
    Sitting(demo.ELECTRONICS, "imran", _ago(2, 5), 4, 3, _time(17, 20)),
)


def sit_all(exams: dict[str, Exam], users: dict[str, User], *, now: datetime) -> None:
    """Every sitting, with moments reckoned back from `now`; the same each time, apart from them."""
    chance = random.Random(SEED)  # noqa: S311  (content, no secret)
    for sitting in SITTINGS:
        sit(sitting, exams[sitting.exam], users[sitting.username], begun=now - sitting.ago, chance=chance)


def sit(sitting: Sitting, exam: Exam, user: User, *, begun: datetime, chance: random.Random) -> Attempt:
    """One sitting, as a client would play it: start, a save for every answer, and the end."""
    attempt, _ = lifecycle.start(exam, user, now=begun)
    answers = _answers(sitting, exam, chance)
    items = dict(attempt.items.values_list("question_id", "id"))
    shares = [chance.uniform(0.5, 1.5) * (6 if "essay_text" in given else 1) for _, given in answers]
    # Who goes on to the end looks the sheet over once more, for about as long as at one question.
    whole = sum(shares) + (1 if sitting.used else 0)
    period, passed = sitting.used or sitting.saved_until, 0.0
    for (question, given), share in zip(answers, shares, strict=True):
        passed += share
        moment = begun + period * min(passed / whole, 1)
        lifecycle.save_answer(attempt.pk, items[question], user, given, now=moment)
    if sitting.used:
        attempt = lifecycle.end(attempt.pk, user, now=begun + sitting.used)
    return attempt


def _answers(sitting, exam, chance) -> list[tuple[int, dict]]:
    """What is saved, in the paper's order: pairs of a question's id and what is given to it."""
    questions = paper_of(exam).questions
    keyed = [question.id for question in questions if question.type != Question.Type.ESSAY]
    if sitting.used is None:
        # Whoever paused came as far as they answered.
        keyed = keyed[: sitting.right + sitting.wrong]
    tried = chance.sample(keyed, sitting.right + sitting.wrong)
    right, doubted = set(tried[: sitting.right]), set(tried[-2:])
    essays = iter(sitting.essays)
    given = []
    for question in questions:
        if question.type == Question.Type.ESSAY:
            if essay := next(essays, None):
                given.append((question.id, _essay(question, *essay)))
        elif question.id in tried:
            selected = _right(question) if question.id in right else _wrong(question, chance)
            given.append((question.id, {"selected_answers": selected, "review": question.id in doubted}))
    return given


def _essay(question: PaperQuestion, topic: int | None, text: str):
    chosen = {} if topic is None else {"essay_topic": question.essay_topics[topic][0]}
    return {"essay_text": text, **chosen}


def _right(question: PaperQuestion):
    return [id for id, _ in question.answers if id in question.correct]


def _wrong(question: PaperQuestion, chance):
    """A wrong choice: another answer, or of several correct ones all but one."""
    right = _right(question)
    if question.type == Question.Type.MULTIPLE:
        return right[:-1]
    return [chance.choice([id for id, _ in question.answers if id not in question.correct])]
