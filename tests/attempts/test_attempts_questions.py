"""GET /attempts/<id>/questions/ and /questions/<id>/: the paper while it is sat."""

from attempts.models import AttemptItem
from tests.conftest import make_exam, make_question


def test_questions_show_the_paper_in_its_order_without_its_key(sit):
    question = make_question("C", key=(0, 1), answers=3, direction="<p>Read.</p>", subject="History")
    sitting = sit(make_exam(questions=["R", question]))

    page = sitting.get("questions/")

    item = AttemptItem.objects.get(question=question)
    assert {key: page[key] for key in page if key != "results"} == {
        "count": 2,
        "next": None,
        "previous": None,
        "per_page": 20,
    }
    assert page["results"][1] == {
        "id": item.pk,
        "url": f"http://localhost/api/v2.1/attempts/{sitting.id}/questions/{item.pk}/",
        "question": {
            "question_html": "<p>Which?</p>",
            "direction": "<p>Read.</p>",
            "answers": [
                {"text_html": f"<p>answer {n}</p>", "id": answer.pk} for n, answer in enumerate(question.answers.all())
            ],
            "essay_topics": [],
            "subject": "History",
            "type": "C",
        },
        "duration": None,
        "selected_answers": [],
        "essay_text": None,
        "essay_topic": None,
        "review": None,
    }
    assert sitting.get(f"questions/{item.pk}/") == page["results"][1]


def test_questions_come_twenty_a_page(sit):
    sitting = sit(make_exam(questions=["R"] * 45))

    pages = [sitting.get("questions/", {"page": number}) for number in (1, 2, 3)]

    assert [len(page["results"]) for page in pages] == [20, 20, 5]
    root = f"http://localhost/api/v2.1/attempts/{sitting.id}/questions/"
    assert [page["next"] for page in pages] == [f"{root}?page=2", f"{root}?page=3", None]
    orders = [AttemptItem.objects.get(pk=i["id"]).order for page in pages for i in page["results"]]
    assert orders == list(range(45))
    for wrong in ("4", "0", "-1", "x", "last", "1.5", "9" * 30, "\0"):
        assert sitting.get("questions/", {"page": wrong}, status=404) == {"detail": "Invalid page."}


def test_questions_of_a_completed_attempt(sit):
    sitting = sit(make_exam())
    item = sitting.items()[0]
    sitting.put("end/")

    assert sitting.get("questions/", status=403)["code"] == "attempt_completed"
    assert sitting.get(f"questions/{item['id']}/", status=403)["code"] == "attempt_completed"


def test_questions_cost_two_statements_once_the_paper_is_cached(sit, statements):
    """attempt with its user and exam; the page's items, counted."""
    for count in (1, 30):
        sitting = sit(make_exam(f"Exam of {count}", questions=["R"] * count))
        sitting.items()
        with statements(2):
            sitting.items()


def test_an_edit_of_the_wording_shows_at_once(sit):
    """No cache may serve an old paper: its key carries the version that the edit raises."""
    from exams import papers

    sitting = sit(make_exam())
    sitting.items()
    question = AttemptItem.objects.first().question
    question.question_html = "<p>Which, then?</p>"
    question.save()
    papers.raise_versions(papers.exams_with([question]))

    assert sitting.items()[0]["question"]["question_html"] == "<p>Which, then?</p>"
