"""Before the review no answer of the API tells what is correct, why, or what an answer is worth.

Two proofs. Every endpoint is called, and what may not show is looked for. And every endpoint is called twice, between
which the key, the marks and the explanations are turned round: what has not changed by a byte cannot tell them.
"""

import re

import pytest
from django.db import transaction
from django.db.models import Case, F, Value, When

from attempts.models import Attempt
from exams.models import Answer, Exam, ExamQuestion, Question
from tests.conftest import Api
from tests.contract.stage import CALLS, EXPLANATION, MARK, NEGATIVE_MARK, send

REVIEW = "GET attempts/<>/review"
END = "PUT attempts/<>/end"
BEFORE_THE_REVIEW = [endpoint for endpoint in CALLS if endpoint != REVIEW]
# Names that a key or a mark could go by. `correct_count` and the like count, `mark_per_question` is the exam's own.
TELLING = re.compile(
    r"correct|explanation|solution|\bkey\b|\bmark\b|negative_mark\b|is_right|answer_key", re.IGNORECASE
)
DOCUMENTED = {"correct_count", "incorrect_count", "negative_marks", "mark_per_question", "show_answers"}


def keys(value):
    """All keys of all objects in it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def telling(response):
    """What a response gives away."""
    text = response.content.decode()
    found = [secret for secret in (EXPLANATION, MARK, NEGATIVE_MARK) if secret in text]
    return found + [key for key in keys(response.json()) if key not in DOCUMENTED and TELLING.search(key)]


def all_that_tells(responses):
    return {endpoint: telling(found) for endpoint, found in responses.items() if telling(found)}


def turn_round():
    """Other answers are correct, other marks count, other explanations explain."""
    Answer.objects.update(is_correct=Case(When(is_correct=True, then=Value(False)), default=Value(True)))
    ExamQuestion.objects.update(mark="5.55", negative_mark="2.22")
    Question.objects.update(explanation_html=f"<p>{EXPLANATION} otherwise</p>")
    Exam.objects.update(paper_version=F("paper_version") + 1)


def walk(stage, endpoints, **kwargs):
    """The answers, each call's writing rolled back."""
    found = {}
    for endpoint in endpoints:
        with transaction.atomic():
            found[endpoint] = stage.call(Api(stage.asha), endpoint, **kwargs)
            transaction.set_rollback(True)
        assert found[endpoint].status_code < 300, (endpoint, found[endpoint].content)
    return found


def contents(responses):
    """By endpoint; a token differs each time it is given."""
    return {endpoint: found.content for endpoint, found in responses.items() if endpoint != "POST auth-token"}


def test_what_may_not_show_is_there(stage):
    """Or the tests below would find nothing whatever the API showed."""
    review = walk(stage, [REVIEW])[REVIEW]

    assert set(telling(review)) == {EXPLANATION, "explanation_html", "is_correct"}
    assert review.content.count(EXPLANATION.encode()) == 3
    assert list(keys(review.json())).count("is_correct") == 8
    assert ExamQuestion.objects.filter(mark=MARK, negative_mark=NEGATIVE_MARK).count() == 12


@pytest.mark.parametrize("endpoint", BEFORE_THE_REVIEW)
def test_nothing_shows_before_the_review(stage, endpoint):
    """Also not of the attempts at other exams that are completed."""
    (found,) = walk(stage, [endpoint]).values()

    assert telling(found) == []


def test_nothing_shows_when_all_is_answered(stage):
    """Each endpoint again with the whole sheet filled in, right and wrong."""
    api = Api(stage.asha)
    for item in api.get(f"attempts/{stage.running.pk}/questions/")["results"]:
        answers = item["question"]["answers"]
        saved = {"selected_answers": [answers[1]["id"]], "review": False} if answers else {"essay_text": "Once"}
        api.put(item["url"], saved)
        assert telling(api.response) == []

    assert all_that_tells(walk(stage, BEFORE_THE_REVIEW)) == {}


def test_no_answer_depends_on_the_key(stage):
    """Byte for byte the same when key, marks and explanations are others; ending grades, so it alone may differ."""
    endpoints = [endpoint for endpoint in BEFORE_THE_REVIEW if endpoint != END]
    chosen = stage.item.question.answers.first()
    Api(stage.asha).put(
        f"attempts/{stage.running.pk}/questions/{stage.item.pk}/", {"selected_answers": [chosen.pk], "review": True}
    )
    before, review, end = contents(walk(stage, endpoints)), walk(stage, [REVIEW]), walk(stage, [END])

    turn_round()

    assert contents(walk(stage, endpoints)) == before
    assert len(before) == len(CALLS) - 3
    assert contents(walk(stage, [REVIEW])) != contents(review)
    assert contents(walk(stage, [END])) != contents(end)


def test_saving_an_answer_never_depends_on_the_key(stage):
    """Each answer alone, and several: the same status and the same words, right or wrong."""

    def saved_each():
        found, api = [], Api(stage.asha)
        for item in stage.running.items.order_by("order"):
            path = f"attempts/{stage.running.pk}/questions/{item.pk}/"
            ids = list(item.question.answers.values_list("pk", flat=True))
            for chosen in [*([id] for id in ids), ids[::2], ids[1::2], ids[:2], ids, []]:
                with transaction.atomic():
                    response = send(api, "put", path, {"selected_answers": chosen})
                    found.append((response.status_code, response.content))
                    transaction.set_rollback(True)
        return found

    before = saved_each()
    turn_round()

    assert saved_each() == before
    assert {status for status, _ in before} == {200, 400}


# --- A review that shows no answers -----------------------------------------------------------------------------------


def hidden_path(stage, state=""):
    return f"attempts/{stage.hidden.pk}/review/{state and f'?state={state}'}"


@pytest.mark.parametrize("state", ["", "all", "unanswered", "review"])
def test_review_that_shows_no_answers(stage, state):
    """The added keys are there, and hold nothing."""
    stage.hidden.items.update(review=True)
    api = Api(stage.asha)

    found = api.get(hidden_path(stage, state))

    assert [item["question"]["explanation_html"] for item in found["results"]] == ["", "", ""]
    assert {answer["is_correct"] for item in found["results"] for answer in item["question"]["answers"]} == {None}
    assert set(telling(api.response)) == {"is_correct", "explanation_html"}


@pytest.mark.parametrize("state", ["", "all", "unanswered", "review"])
def test_review_that_shows_no_answers_does_not_depend_on_the_key(stage, state):
    stage.hidden.items.update(review=True)
    answered = stage.hidden.items.order_by("order").first()
    stage.hidden.items.filter(pk=answered.pk).update(selected_answers=[answered.question.answers.first().pk])
    before = Api(stage.asha).get(hidden_path(stage, state))

    turn_round()

    assert Api(stage.asha).get(hidden_path(stage, state)) == before
    assert before["count"] == (2 if state == "unanswered" else 3)


@pytest.mark.parametrize("state", ["correct", "incorrect"])
def test_review_that_shows_no_answers_does_not_sort_them(stage, state):
    """What is listed as correct would tell."""
    assert list(Api(stage.asha).get(hidden_path(stage, state), status=400)) == ["state"]


def test_completed_attempts_elsewhere_give_nothing_away(stage):
    """Once all are ended, only the review shows the key: not the exam, nor the history, nor the list of attempts."""
    Api(stage.asha).put(f"attempts/{stage.running.pk}/end/")
    reads = [endpoint for endpoint in BEFORE_THE_REVIEW if endpoint.startswith("GET ") and "questions" not in endpoint]

    assert all_that_tells(walk(stage, reads)) == {}
    assert Attempt.objects.running().count() == 0
