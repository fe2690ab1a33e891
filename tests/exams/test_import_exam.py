"""manage.py import_exam: the exam file, its errors by path, and replacing an exam."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Batch, Institute
from attempts.models import Attempt
from exams.importing import ImportRefused, import_exam, parse
from exams.models import Answer, Course, EssayTopic, Exam, ExamQuestion, Question, Subject
from tests.conftest import NOW, make_exam, make_question

pytestmark = pytest.mark.django_db


def question(kind="R", **fields):
    answers = {
        "R": [{"text_html": "<p>1 only</p>", "is_correct": True}, {"text_html": "<p>2 only</p>", "is_correct": False}],
        "C": [
            {"text_html": "<p>1</p>", "is_correct": True},
            {"text_html": "<p>2</p>", "is_correct": True},
            {"text_html": "<p>3</p>"},
        ],
    }.get(kind, [])
    return {"question_html": "<p>Which?</p>", "type": kind, "subject": "Polity", "answers": answers} | fields


def exam_file(**fields):
    return {
        "title": "General Studies",
        "start_date": "2024-01-01T09:00:00+05:30",
        "duration": "0:30:00",
        "questions": [question()],
    } | fields


def refusal(data):
    """The errors of a file that must be refused; nothing may have been written."""
    with pytest.raises(ImportRefused) as refused:
        import_exam(data)
    assert Exam.objects.count() == Question.objects.count() == Course.objects.count() == Batch.objects.count() == 0
    return refused.value.errors


def attempt_at(exam, user, **fields):
    return Attempt.objects.create(
        exam=exam,
        user=user,
        number=1,
        date=NOW,
        time_allowed=exam.duration,
        remaining_time=exam.duration,
        last_started_time=NOW,
        **fields,
    )


# --- What is made ----------------------------------------------------------------------------------------------------


def test_import_writes_every_field():
    data = {
        "title": "General Studies",
        "slug": "gs-1",
        "description": "<p>All of it</p>",
        "course": "TNPSC",
        "start_date": "2024-01-01T09:00:00+05:30",
        "end_date": "2024-02-01T09:00:00Z",
        "duration": "26:00:05",
        "mark_per_question": "2.50",
        "negative_marks": 0.25,
        "variable_mark_per_question": True,
        "template_type": 2,
        "allow_retake": False,
        "max_retakes": 3,
        "allow_pause": False,
        "enable_ranks": True,
        "rank_publishing_date": "2024-03-01",
        "allow_pdf": True,
        "show_answers": False,
        "published": False,
        "batches": ["EEE", "ECE"],
        "questions": [
            question(direction="<p>Read</p>", explanation_html="<p>Because</p>", mark="4", negative_mark="1.5"),
            question("E", essay_topics=["Rivers", "Dams"], subject="Essay"),
        ],
    }

    exam = import_exam(data).exam

    exam = Exam.objects.get(pk=exam.pk)
    plain = data.keys() - {"course", "batches", "questions"}
    assert {name: getattr(exam, name) for name in plain} == {name: data[name] for name in plain} | {
        "start_date": datetime(2024, 1, 1, 3, 30, tzinfo=UTC),
        "end_date": datetime(2024, 2, 1, 9, tzinfo=UTC),
        "duration": timedelta(hours=26, seconds=5),
        "mark_per_question": Decimal("2.50"),
        "negative_marks": Decimal("0.25"),
        "rank_publishing_date": datetime(2024, 2, 29, 18, 30, tzinfo=UTC),
    }
    assert exam.course.name == "TNPSC"
    assert [batch.name for batch in exam.batches.all()] == ["ECE", "EEE"]
    first, second = exam.exam_questions.all()
    assert (first.order, first.mark, first.negative_mark) == (0, Decimal("4.00"), Decimal("1.50"))
    assert (second.order, second.mark, second.negative_mark) == (1, None, None)
    assert (first.question.direction, first.question.explanation_html) == ("<p>Read</p>", "<p>Because</p>")
    assert [(a.order, a.text_html, a.is_correct) for a in first.question.answers.all()] == [
        (0, "<p>1 only</p>", True),
        (1, "<p>2 only</p>", False),
    ]
    assert (second.question.type, second.question.subject.name, second.question.direction) == ("E", "Essay", None)
    assert [(t.order, t.title) for t in second.question.essay_topics.all()] == [(0, "Rivers"), (1, "Dams")]


def test_import_of_the_required_keys_alone_takes_the_defaults():
    data = exam_file(questions=[{"question_html": "Which?", "answers": question()["answers"]}])

    exam = Exam.objects.get(pk=import_exam(data).exam.pk)

    assert {
        name: getattr(exam, name)
        for name in (
            *("slug", "description", "end_date", "mark_per_question", "negative_marks", "variable_mark_per_question"),
            *("template_type", "allow_retake", "max_retakes", "allow_pause", "enable_ranks", "rank_publishing_date"),
            *("allow_pdf", "show_answers", "published", "paper_version"),
        )
    } == {
        "slug": "general-studies",
        "description": "",
        "end_date": None,
        "mark_per_question": Decimal("1.00"),
        "negative_marks": Decimal("0.25"),
        "variable_mark_per_question": False,
        "template_type": 1,
        "allow_retake": True,
        "max_retakes": None,
        "allow_pause": True,
        "enable_ranks": False,
        "rank_publishing_date": None,
        "allow_pdf": False,
        "show_answers": True,
        "published": True,
        "paper_version": 1,
    }
    assert (exam.course.name, list(exam.batches.all())) == ("Uncategorized", [])
    made = exam.exam_questions.get().question
    assert (made.type, made.subject.name, made.direction, made.explanation_html) == ("R", "Uncategorized", None, "")


def test_import_without_slug_numbers_one_that_is_taken():
    assert [import_exam(exam_file()).exam.slug for _ in range(2)] == ["general-studies", "general-studies-2"]


def test_import_of_an_exam_without_questions():
    assert str(import_exam(exam_file(questions=[]))) == "general-studies: 0 questions, 0 answers"


def test_import_matches_course_and_subject_whatever_their_case_and_batches_exactly():
    Course.objects.create(name="TNPSC")
    Subject.objects.create(name="Polity")
    Batch.objects.create(name="EEE")

    data = exam_file(
        course="tnpsc",
        batches=["EEE", "eee"],
        questions=[question(subject="POLITY"), question(subject="maths"), question(subject="Maths")],
    )
    import_exam(data)

    assert [course.name for course in Course.objects.all()] == ["TNPSC"]
    assert sorted(subject.name for subject in Subject.objects.all()) == ["Polity", "maths"]
    assert sorted(batch.name for batch in Batch.objects.all()) == ["EEE", "eee"]


def test_import_takes_times_without_a_zone_as_the_institutes():
    Institute.objects.update_or_create(pk=Institute.ID, defaults={"name": "Ours", "time_zone": "Europe/Berlin"})
    cache.clear()

    exam = import_exam(exam_file(start_date="2024-01-01T09:00:00", end_date="2024-07-01 09:00")).exam

    assert (exam.start_date, exam.end_date) == (
        datetime(2024, 1, 1, 8, tzinfo=UTC),
        datetime(2024, 7, 1, 7, tzinfo=UTC),
    )


def test_import_cleans_html():
    data = exam_file(description='<p onclick="x()">Hi<script>bad()</script></p>')
    assert import_exam(data).exam.description == "<p>Hi</p>"


def test_import_takes_a_picture_or_a_formula_alone_as_content():
    formula = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
    picture = '<img src="/media/a.png">'
    answers = [{"text_html": picture, "is_correct": True}, {"text_html": formula}]

    import_exam(exam_file(questions=[question(question_html=picture, answers=answers)]))

    assert [answer.text_html for answer in Answer.objects.all()] == [picture, formula]


@pytest.mark.parametrize(
    ("written", "stored"),
    [("1", "1.00"), ("0.25", "0.25"), (1, "1.00"), (0.1, "0.10"), ("9999.99", "9999.99"), (0, "0.00"), (-0.0, "0.00")],
)
def test_import_takes_decimals_as_strings_and_numbers(written, stored):
    assert str(import_exam(exam_file(mark_per_question=written)).exam.mark_per_question) == stored


@pytest.mark.parametrize("max_retakes", [None, -1, 0, 5])
def test_import_takes_retakes(max_retakes):
    assert import_exam(exam_file(max_retakes=max_retakes)).exam.max_retakes == max_retakes


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"title": ""}, "title"),
        ({"title": " "}, "title"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "a\ud800b"}, "title"),
        ({"slug": "available"}, "slug"),
        ({"slug": "two words"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"slug": "x" * 256}, "slug"),
        ({"slug": None}, "slug"),
        ({"description": None}, "description"),
        ({"description": "a\ud800b"}, "description"),
        ({"description": "<b>" * 5000}, "description"),
        ({"course": "x" * 101}, "course"),
        ({"start_date": "soon"}, "start_date"),
        ({"start_date": None}, "start_date"),
        ({"start_date": 20240101}, "start_date"),
        ({"start_date": "2024-13-01T09:00:00Z"}, "start_date"),
        ({"start_date": "2024-02-30"}, "start_date"),
        ({"start_date": "0001-01-01T00:00:00+05:30"}, "start_date"),
        ({"start_date": "9999-12-31T23:59:59-05:30"}, "start_date"),
        ({"start_date": "٢٠٢٤-01-01"}, "start_date"),
        ({"end_date": "2024-01-01T09:00:00+05:30"}, "end_date"),
        ({"end_date": "2023-01-01"}, "end_date"),
        ({"duration": "30 minutes"}, "duration"),
        ({"duration": "0:00:00"}, "duration"),
        ({"duration": "720:00:01"}, "duration"),
        ({"duration": "0:60:00"}, "duration"),
        ({"duration": "-1:00:00"}, "duration"),
        ({"duration": 1800}, "duration"),
        ({"duration": "1:00:00\n"}, "duration"),
        ({"mark_per_question": "-1"}, "mark_per_question"),
        ({"mark_per_question": "0.125"}, "mark_per_question"),
        ({"mark_per_question": 0.001}, "mark_per_question"),
        ({"mark_per_question": "10000"}, "mark_per_question"),
        ({"mark_per_question": 10**400}, "mark_per_question"),
        ({"mark_per_question": Decimal("1E+999999999")}, "mark_per_question"),
        ({"mark_per_question": Decimal("1E-999999999")}, "mark_per_question"),
        ({"mark_per_question": float("nan")}, "mark_per_question"),
        ({"mark_per_question": "NaN"}, "mark_per_question"),
        ({"mark_per_question": "1e2"}, "mark_per_question"),
        ({"mark_per_question": True}, "mark_per_question"),
        ({"mark_per_question": None}, "mark_per_question"),
        ({"negative_marks": "-0.25"}, "negative_marks"),
        ({"variable_mark_per_question": "true"}, "variable_mark_per_question"),
        ({"published": 1}, "published"),
        ({"allow_pause": None}, "allow_pause"),
        ({"template_type": 0}, "template_type"),
        ({"template_type": 32768}, "template_type"),
        ({"template_type": "1"}, "template_type"),
        ({"template_type": True}, "template_type"),
        ({"template_type": 1.5}, "template_type"),
        ({"max_retakes": -2}, "max_retakes"),
        ({"max_retakes": 2**31}, "max_retakes"),
        ({"rank_publishing_date": "x"}, "rank_publishing_date"),
        ({"batches": "EEE"}, "batches"),
        ({"batches": ["EEE", 1]}, "batches[1]"),
        ({"batches": ["EEE", "EEE"]}, "batches"),
        ({"questions": None}, "questions"),
        ({"questions": {}}, "questions"),
        ({"questions": ["x"]}, "questions[0]"),
        ({"titel": "x"}, "titel"),
        ({"a key\n": "x"}, '"a key\\n"'),
        ({"": "x"}, '""'),
    ],
)
def test_import_refuses_a_wrong_value_by_its_path(fields, path):
    assert [where for where, _ in refusal(exam_file(**fields))] == [path]


@pytest.mark.parametrize("key", ["title", "start_date", "duration", "questions"])
def test_import_refuses_a_missing_key(key):
    data = exam_file()
    del data[key]
    assert refusal(data) == [(key, "is required")]


ANSWER, WRONG = {"text_html": "a", "is_correct": True}, {"text_html": "b", "is_correct": False}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"question_html": ""}, "question_html"),
        ({"question_html": "<p>&nbsp;</p><script>x</script>"}, "question_html"),
        ({"question_html": '<img onerror="x()">'}, "question_html"),
        ({"type": "X"}, "type"),
        ({"type": []}, "type"),
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"direction": 1}, "direction"),
        ({"explanation_html": None}, "explanation_html"),
        ({"mark": "-1"}, "mark"),
        ({"negative_mark": "x"}, "negative_mark"),
        ({"answers": []}, "answers"),
        ({"answers": [ANSWER]}, "answers"),
        ({"answers": [ANSWER, ANSWER]}, "answers"),
        ({"answers": [WRONG, WRONG]}, "answers"),
        ({"type": "C", "answers": [WRONG, WRONG]}, "answers"),
        ({"type": "C", "answers": [ANSWER]}, "answers"),
        ({"type": "E", "answers": [ANSWER, WRONG]}, "answers"),
        ({"answers": [ANSWER, {"text_html": "<p></p>"}]}, "answers[1].text_html"),
        ({"answers": [ANSWER, {"is_correct": False}]}, "answers[1].text_html"),
        ({"answers": [ANSWER, {"text_html": "b", "is_correct": "false"}]}, "answers[1].is_correct"),
        ({"answers": [ANSWER, {"text_html": "b", "correct": False}]}, "answers[1].correct"),
        ({"answers": [ANSWER, None]}, "answers[1]"),
        ({"essay_topics": ["x"]}, "essay_topics"),
        ({"type": "E", "answers": [], "essay_topics": ["x", ""]}, "essay_topics[1]"),
        ({"type": "E", "answers": [], "essay_topics": ["x" * 501]}, "essay_topics[0]"),
        ({"question": "x"}, "question"),
    ],
)
def test_import_refuses_a_wrong_question_by_its_path(fields, path):
    errors = refusal(exam_file(questions=[question(), question(**fields)]))
    assert [where for where, _ in errors] == [f"questions[1].{path}"]


def test_import_reports_all_errors_at_once():
    data = exam_file(duration="x", typo=1, questions=[question(type="X"), question(answers=[]), question(mark="x")])
    del data["title"]

    assert refusal(data) == [
        ("title", "is required"),
        ("duration", 'must be H:MM:SS, such as "0:30:00"'),
        ("questions[0].type", 'must be one of "R", "C", "E"'),
        ("questions[1].answers", "there must be at least two answers"),
        ("questions[2].mark", 'must be a decimal number such as "0.25"'),
        ("typo", "is not a key of this format"),
    ]


@pytest.mark.parametrize("data", [[], None, "x", 1, True])
def test_import_refuses_what_is_no_object(data):
    assert [path for path, _ in refusal(data)] == [""]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2024-01-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([*exam_file(), "slug", "course", "batches", "negative_marks", "max_retakes"]), json_values)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_import_takes_or_refuses_any_value_without_another_error(key, value):
    lines = []
    try:
        import_exam(exam_file(**{key: value}))
    except ImportRefused as refused:
        lines = refused.lines()
    assert not [line for line in lines if "\n" in line]


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """Runs the command on a file of these bytes (or of this value as JSON) and gives what it prints."""

    def run_on(content):
        path = tmp_path / "exam.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        out = StringIO()
        call_command("import_exam", str(path), stdout=out)
        return out.getvalue()

    return run_on


def test_command_prints_slug_and_counts(run):
    data = exam_file(questions=[question(), question("C"), question("E"), question()])
    assert run(data) == "general-studies: 4 questions (2 R, 1 C, 1 E), 7 answers\n"


def test_command_takes_a_byte_order_mark(run):
    assert run(b"\xef\xbb\xbf" + json.dumps(exam_file()).encode()) == "general-studies: 1 question (1 R), 2 answers\n"


def test_command_lists_errors_one_a_line(run):
    with pytest.raises(CommandError) as refused:
        run(exam_file(duration="x", titel="y"))
    assert str(refused.value).splitlines() == [
        "nothing was imported:",
        'duration: must be H:MM:SS, such as "0:30:00"',
        "titel: is not a key of this format",
    ]
    assert Exam.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is not JSON: Expecting value in line 1, column 1."),
        (b"\xff\xfe{}", "The file is not UTF-8 text (byte 0)."),
        (b"{'a': 1}", "The file is not JSON: Expecting property name enclosed in double quotes in line 1, column 2."),
        (b"[" * 200_000, "The file is nested too deep."),
        (b'{"title": ' + b"[" * 200_000, "The file is nested too deep."),
        (b'{"title": NaN}', "The file is not JSON: a number in it is too large, or none at all."),
        (b'{"title": ' + b"9" * 5000 + b"}", "The file is not JSON: a number in it is too large, or none at all."),
        (b'{"title": 1e99999999999999999999}', "The file is not JSON: a number in it is too large, or none at all."),
        (b"[]", "must be an object, not a list"),
    ],
)
def test_command_refuses_what_is_no_exam_file_in_one_line(run, content, message):
    with pytest.raises(CommandError) as refused:
        run(content)
    assert str(refused.value).splitlines() == ["nothing was imported:", message]


def test_command_refuses_a_key_given_twice(run):
    content = json.dumps(exam_file()).replace('"title":', '"title": "Other", "title":').encode()
    with pytest.raises(CommandError, match="title: is given more than once"):
        run(content)


def test_command_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_exam", str(tmp_path / "none.json"))


# --- Replacing -------------------------------------------------------------------------------------------------------


def test_replacing_keeps_the_id_and_takes_everything_else_from_the_file(at):
    old = make_exam(slug="gs", questions=["R", "C", "E"], batches=["EEE"], allow_pause=False, max_retakes=2)

    new = import_exam(exam_file(slug="gs", title="New", questions=[question(question_html="<p>New?</p>")])).exam

    new = Exam.objects.get()
    assert (new.pk, new.title, new.allow_pause, new.max_retakes) == (old.pk, "New", True, None)
    assert (new.paper_version, new.created, list(new.batches.all())) == (old.paper_version + 1, old.created, [])
    assert [q.question_html for q in Question.objects.all()] == ["<p>New?</p>"]
    assert (Answer.objects.count(), EssayTopic.objects.count(), ExamQuestion.objects.count()) == (2, 0, 1)


def test_replacing_with_more_questions():
    make_exam(slug="gs", questions=[make_question("E", topics=["Old"])])

    import_exam(exam_file(slug="gs", questions=[question(question_html=f"<p>{n}</p>") for n in range(3)]))

    places = ExamQuestion.objects.select_related("question")
    assert [place.question.question_html for place in places] == ["<p>0</p>", "<p>1</p>", "<p>2</p>"]
    assert [place.question.type for place in places] == ["R", "R", "R"]
    assert (Question.objects.count(), Answer.objects.count(), EssayTopic.objects.count()) == (3, 6, 0)


def test_replacing_leaves_questions_alone_that_another_exam_uses():
    shared = make_question(text="Shared")
    make_exam(slug="gs", questions=[shared, "R"])
    other = make_exam("Other", questions=[shared])

    import_exam(exam_file(slug="gs", questions=[question(question_html="<p>New?</p>")]))

    assert sorted(q.question_html for q in Question.objects.all()) == ["<p>New?</p>", "<p>Shared</p>"]
    assert [place.question for place in other.exam_questions.all()] == [shared]
    assert shared.answers.count() == 4


def test_replacing_is_refused_once_there_is_an_attempt(asha):
    exam = make_exam(slug="gs", questions=["R", "R"])
    attempt_at(exam, asha)

    with pytest.raises(ImportRefused) as refused:
        import_exam(exam_file(slug="gs", course="New course"))

    assert refused.value.lines() == ["slug: gs has attempts already, so it cannot be replaced"]
    exam.refresh_from_db()
    assert (exam.title, exam.paper_version, exam.exam_questions.count()) == ("General Studies", 1, 2)
    assert not Course.objects.filter(name="New course").exists()


# --- Cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("questions", [1, 3, 30])
def test_import_costs_a_fixed_number_of_statements(questions, statements):
    data = exam_file(slug="gs", batches=["EEE"], questions=[question("C") for _ in range(questions)])
    import_exam(data | {"slug": "warm"})

    # Whether the slug is taken; courses; the exam; its batches by name, those it has, those added; subjects;
    # questions, answers, places. Topics only where there are any.
    with statements(10):
        import_exam(data)


def test_import_of_500_questions_replaces_500():
    data = exam_file(slug="gs", questions=[question("C", subject=f"Subject {n}") for n in range(500)])
    for _ in range(2):
        imported = import_exam(data)
    assert str(imported) == "gs: 500 questions (500 C), 1500 answers"
    assert (Question.objects.count(), Answer.objects.count(), ExamQuestion.objects.count()) == (500, 1500, 500)
    assert Subject.objects.count() == 500


def test_parsed_numbers_are_exact():
    assert parse(b'{"a": 0.10}') == {"a": Decimal("0.10")}
