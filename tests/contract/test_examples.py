"""Each documented answer beside what this server answers to that call, as a whole.

Each test sets up what the document's example shows, with its ids and its moments, makes the documented calls at those
moments, and expects the documented answer: equal values, and the documented shape (`shape.differences`, which also
sees the order of keys, and 1 from 1.0). Where the contract settles something against the document, the test says so.
"""

import base64
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise

import jwt
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils.dateparse import parse_duration
from PIL import Image

from accounts.models import Batch, User
from attempts import lifecycle
from attempts.models import Attempt
from catalog.models import Category as ProductCategory
from catalog.models import Note, Product, ProductImage
from exams.models import Answer, Course, Exam, ExamQuestion, Question, Subject
from posts.models import Category as PostCategory
from posts.models import Post
from tests.conftest import NOW, PASSWORD, Api
from tests.contract.shape import ATTEMPT, EXAM, ITEM, POST, PRODUCT, PROFILE, USER, differences, example
from tests.contract.stage import make_stage

HOST = "demo.testpress.in"
IMAGES = ["photo", "large_image", "medium_image", "small_image", "x_small_image", "mini_image"]

pytestmark = pytest.mark.django_db


# --- Setting up what the document shows -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _documented_host(settings):
    settings.ALLOWED_HOSTS = [HOST, "localhost"]


def moment(text):
    return text and datetime.fromisoformat(text)


def client(user=None):
    """Logged in now: a token lives 30 days, and some examples span months."""
    api = Api(user)
    api.defaults["HTTP_HOST"] = HOST
    return api


@pytest.fixture
def stage(at):
    """Made for each test that wants it: all others here want its place empty."""
    at(NOW)
    return make_stage()


@pytest.fixture
def student():
    """The document's student, number 17."""
    return User.objects.create(id=17, username="testpress", email="testpress.in@gmail.com")


def next_id(model, number):
    """Makes the database give the next row of `model` this id."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [table, number])
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number - 1])


def documented_exam(facts, **extra):
    """An exam with these facts of a documented answer, whose questions have two answers each, the first correct."""
    copied = ["id", "title", "slug", "description", "template_type", "allow_retake", "max_retakes", "enable_ranks"]
    copied += ["mark_per_question", "negative_marks", "allow_pdf", "variable_mark_per_question", "show_answers"]
    dates = ["start_date", "end_date", "rank_publishing_date", "created"]
    exam = Exam.objects.create(
        course=Course.objects.get_or_create(name=facts["course"])[0],
        duration=parse_duration(facts["duration"]),
        **{name: facts[name] for name in copied},
        **{name: moment(facts[name]) for name in dates},
        **extra,
    )
    add_questions(exam, facts["number_of_questions"])
    return exam


def add_questions(exam, count):
    subject, _ = Subject.objects.get_or_create(name="Polity")
    questions = Question.objects.bulk_create(
        Question(question_html="<p>Which?</p>", subject=subject) for _ in range(count)
    )
    Answer.objects.bulk_create(
        Answer(question=question, order=n, text_html=f"<p>{n}</p>", is_correct=n == 0)
        for question in questions
        for n in range(2)
    )
    taken = exam.exam_questions.count()
    ExamQuestion.objects.bulk_create(
        ExamQuestion(exam=exam, question=question, order=taken + n) for n, question in enumerate(questions)
    )


def sit(at, user, exam, attempt):
    """Makes the calls that lead to a documented attempt, at its moments.

    Starts it, answers as many questions right and wrong when the documented time is spent, comes back at its
    `last_started_time`, and ends it if it is completed.
    """
    begun, resumed = moment(attempt["date"]), moment(attempt["last_started_time"])
    at(begun)
    next_id(Attempt, attempt["id"])
    api = client(user)
    api.post(f"exams/{exam.slug}/attempts/", status=201)
    at(min(begun + parse_duration(attempt["time_taken"]) - timedelta(milliseconds=500), resumed))
    answer(api, attempt, right=attempt["correct_count"], wrong=attempt["incorrect_count"])
    api.put(f"attempts/{attempt['id']}/heartbeat/")
    at(resumed)
    api = client(user)
    api.put(f"attempts/{attempt['id']}/start/")
    if attempt["state"] == "Completed":
        api.put(f"attempts/{attempt['id']}/end/")


def answer(api, attempt, *, right, wrong):
    items = api.get(f"attempts/{attempt['id']}/questions/")["results"]
    for place in range(right + wrong):
        answers = items[place]["question"]["answers"]
        api.put(items[place]["url"], {"selected_answers": [answers[0 if place < right else 1]["id"]]})


def rival(number, exam, when, *, right=0, seconds=0):
    """Another student's completed attempt."""
    user = User.objects.create(id=1000 + number, username=f"rival {number}")
    attempt, _ = lifecycle.start(exam, user, now=when)
    for item in attempt.items.order_by("order")[:right]:
        key = item.question.answers.get(is_correct=True).pk
        lifecycle.save_answer(attempt.pk, item.pk, user, {"selected_answers": [key]}, now=when)
    lifecycle.end(attempt.pk, user, now=when + timedelta(seconds=seconds))


def assert_as_documented(found, documented, table):
    assert differences(documented, found, table) == []
    assert found == documented


def picture(size=(600, 600)):
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG")
    return out.getvalue()


# --- Logging in, users ------------------------------------------------------------------------------------------------


def test_auth_token(student, at):
    """The token is documented as text with the payload's claims; other claims may be there too."""
    at(datetime.fromisoformat("2015-10-19T07:53:49Z"))
    student.set_password(PASSWORD)
    student.save()

    found = client().post("auth-token/", {"username": "testpress", "password": PASSWORD})

    documented = example("auth_token")
    assert differences(documented, found, {}) == []
    claims, documented_claims = (
        jwt.decode(token, options={"verify_signature": False}) for token in (found["token"], documented["token"])
    )
    documented_claims["exp"] = int(datetime.fromisoformat("2015-11-18T07:53:49Z").timestamp())
    assert {name: claims[name] for name in documented_claims} == documented_claims
    assert jwt.get_unverified_header(found["token"]) == jwt.get_unverified_header(documented["token"])


def fill_profile(user, **changes):
    """Sends the documented profile with a photo; gives the answer."""
    documented = example("user_update")
    sent = {name: value for name, value in documented.items() if name not in IMAGES} | changes
    return client(user).put(f"users/{user.pk}/", sent | {"photo": base64.b64encode(picture()).decode()})


def test_me(student):
    """All of it but the pictures' addresses, which are this server's; batches come by name."""
    fill_profile(student, first_name="Divya", last_name="")
    documented = example("me")
    student.batches.set([Batch.objects.create(name=name) for name in documented["batches"]])

    found = client(student).get("me/")

    documented["batches"].sort()
    assert differences(documented, found, USER) == []
    assert found == documented | {name: found[name] for name in IMAGES}
    assert len({found[name] for name in IMAGES}) == 6
    assert client(student).get("users/17/") == found


def test_me_of_somebody_who_told_nothing(student):
    """Unset: null for the date and the gender, empty text for the rest."""
    found = client(student).get("me/")

    assert differences(example("me"), found, USER) == []
    assert {name for name, value in found.items() if value is None} == {"birth_date", "gender"}
    assert {name for name, value in found.items() if value == ""} == {
        *IMAGES,
        *"first_name last_name address1 address2 city zip state phone".split(),
    }


def test_user(student):
    """Another user."""
    User.objects.create(id=18, username="Vinoth", first_name="Vinoth", last_name="Kumar", email="v@example.com")

    assert_as_documented(client(student).get("users/18/"), example("user"), USER)


def test_user_update(student):
    """All of it but the pictures' addresses, which are this server's."""
    found = fill_profile(student)

    documented = example("user_update")
    assert differences(documented, found, PROFILE) == []
    assert found == documented | {name: found[name] for name in IMAGES}
    assert len({found[name] for name in IMAGES}) == 6


def test_user_update_of_what_it_answered(student):
    """Clients send back what they read: all 21 keys can be, and nothing changes."""
    found = fill_profile(student)

    assert client(student).put("users/17/", found) == found


def test_user_update_of_somebody_who_told_nothing(student):
    """Only the names: as the document's own request has it."""
    found = client(student).put("users/17/", {"first_name": "John", "last_name": "Appleseed"})

    assert differences(example("user_update"), found, PROFILE) == []
    assert {name for name, value in found.items() if value is None} == {
        *"x_offset y_offset crop_height crop_width birth_date gender state_choices".split()
    }


# --- Exams ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name", "now"),
    [
        ("exams/", "exams", "2016-01-01T00:00:00Z"),
        ("exams/available/", "exams_available", "2016-01-01T00:00:00Z"),
        ("exams/?state=available", "exams_available", "2016-01-01T00:00:00Z"),
        ("exams/upcoming/", "exams_upcoming", "2013-01-01T00:00:00Z"),
        ("exams/?state=upcoming", "exams_upcoming", "2013-01-01T00:00:00Z"),
    ],
)
def test_exams(student, at, path, name, now):
    documented = example(name)
    for facts in documented["results"]:
        documented_exam(facts)
    at(moment(now))

    assert_as_documented(client(student).get(path), documented, EXAM)


@pytest.fixture
def sat_exam(student, at):
    """The single exam of the document, with all four attempts of the student and those of four others.

    The others' first attempts make it 40 per cent who scored no more than 0, and 80 who scored no more than 2.
    """
    documented = example("exam")
    exam = documented_exam(documented)
    for number, right in enumerate([0, 1, 2, 5]):
        rival(number, exam, moment("2015-04-10T00:00:00Z"), right=right)
    for attempt in reversed(documented["attempts"]):
        sit(at, student, exam, attempt)
    return exam


def test_exam(student, sat_exam):
    found = client(student).get(f"exams/{sat_exam.slug}/")

    assert_as_documented(found, example("exam"), EXAM)


def test_exam_attempts(student, sat_exam):
    """The document has the address, `attempts_url`, and forgets the call: the exam's attempts in the envelope."""
    documented = {"count": 4, "next": None, "previous": None, "per_page": 20, "results": example("exam")["attempts"]}

    found = client(student).get(f"exams/{sat_exam.slug}/attempts/")

    assert_as_documented(found, documented, ATTEMPT)


@pytest.mark.parametrize("path", ["exams/history/", "exams/?state=history"])
def test_exams_history(student, sat_exam, path):
    """The documented rows, each with its `attempts` as the single exam has them, which clients read there."""
    documented, single = example("exams_history"), example("exam")
    other = documented_exam(documented["results"][1])
    api = client(student)
    api.post(f"exams/{other.slug}/attempts/", status=201)

    found = api.get(path)

    documented["results"] = [single | row | {"attempts": single["attempts"]} for row in documented["results"]]
    documented["results"][1]["attempts"] = api.get(f"exams/{other.slug}/attempts/")["results"]
    assert_as_documented(found, documented, EXAM)


# --- Attempts ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(student, at):
    """The document's running attempt, paused at its `last_started_time`, with the answers that its end counts."""
    ended = example("attempt_end")
    exam = documented_exam(example("attempt")["exam"])
    counts = {name: ended[name] for name in ("correct_count", "incorrect_count")}
    sit(at, student, exam, example("attempt") | counts)
    return exam


def test_attempt_then_start_then_end(student, running, at):
    """The document's own course of an attempt: read, resumed eleven days later, after the window closed, and ended."""
    assert_as_documented(client(student).get("attempts/125894/"), example("attempt"), ATTEMPT)

    at(moment(example("attempt_start")["last_started_time"]))
    api = client(student)
    assert_as_documented(api.put("attempts/125894/start/"), example("attempt_start"), ATTEMPT)
    assert_as_documented(api.put("attempts/125894/heartbeat/"), example("attempt_start"), ATTEMPT)
    assert_as_documented(api.put("attempts/125894/end/"), example("attempt_end"), ATTEMPT)
    assert_as_documented(api.put("attempts/125894/end/"), example("attempt_end"), ATTEMPT)
    assert_as_documented(api.put("attempts/125894/heartbeat/"), example("attempt_end"), ATTEMPT)
    assert_as_documented(api.get("attempts/125894/"), example("attempt_end"), ATTEMPT)


def test_begin_an_attempt(student, at):
    """A call the document forgets: it answers as the single attempt's, with the whole time left; so does the next."""
    documented = example("attempt")
    exam = documented_exam(documented["exam"])
    at(moment(documented["date"]))
    next_id(Attempt, 125894)
    api = client(student)

    begun = api.post(f"exams/{exam.slug}/attempts/", status=201)
    again = api.post(f"exams/{exam.slug}/attempts/", status=200)

    documented["last_started_time"] = documented["date"]
    documented |= {"remaining_time": "3:00:00", "time_taken": "0:00:00"}
    assert_as_documented(begun, documented, ATTEMPT)
    assert_as_documented(again, documented, ATTEMPT)


def test_attempts(student, at):
    """One running; one completed with a rank: fourth of five by its time, and 60 per cent scored no more."""
    documented = example("attempts")
    running, completed = documented["results"]
    ranked_exam = documented_exam(completed["exam"])
    day_before = moment("2015-11-06T00:00:00Z")
    for number, (right, seconds) in enumerate([(3, 60), (1, 60), (0, 0), (0, 5)]):
        rival(number, ranked_exam, day_before, right=right, seconds=seconds)
    sit(at, student, ranked_exam, completed)
    sit(at, student, documented_exam(running["exam"]), running)

    assert_as_documented(client(student).get("attempts/"), documented, ATTEMPT)


def test_attempt_of_each_sort(stage):
    """Every attempt, whatever its state and its exam, has the documented shape."""
    api = Api(stage.asha)
    for attempt in (stage.running, stage.completed, stage.hidden):
        assert differences(example("attempt"), api.get(f"attempts/{attempt.pk}/"), ATTEMPT) == []
    found = api.get("attempts/")
    assert found["count"] == 3
    assert differences(example("attempts"), found, ATTEMPT) == []
    assert {row["remaining_attempts"] for row in found["results"]} == {None, 0, 2}


# --- The sheet --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(student, at):
    """The document's sheet of 100 questions, of which it shows the first two, in an attempt of number 122046."""
    at(moment("2015-10-01T00:00:00Z"))
    facts = example("exam") | {"duration": "30 00:00:00", "number_of_questions": 0}
    exam = documented_exam(facts)
    shown = example("attempt_questions")["results"]
    for order, documented in enumerate(shown):
        facts = documented["question"]
        question = Question.objects.create(
            question_html=facts["question_html"],
            direction=facts["direction"],
            type=facts["type"],
            subject=Subject.objects.create(name=facts["subject"]),
            explanation_html="<p>Because.</p>",
        )
        Answer.objects.bulk_create(
            Answer(question=question, order=n, is_correct=n == 0, **answer) for n, answer in enumerate(facts["answers"])
        )
        ExamQuestion.objects.create(exam=exam, question=question, order=order)
    next_id(Answer, 1000)
    add_questions(exam, 98)
    next_id(Attempt, 122046)
    client(student).post(f"exams/{exam.slug}/attempts/", status=201)
    attempt = Attempt.objects.get()
    for item, documented in zip(attempt.items.order_by("order"), shown, strict=False):
        attempt.items.filter(pk=item.pk).update(id=documented["id"])
    return attempt


def test_attempt_questions(student, sheet):
    """The documented two of the first page's twenty; the others have their shape."""
    api, documented = client(student), example("attempt_questions")

    found = api.get("attempts/122046/questions/")

    assert differences(documented, found, ITEM) == []
    assert len(found["results"]) == 20
    assert found | {"results": found["results"][:2]} == documented
    for item in documented["results"]:
        assert_as_documented(api.get(item["url"]), item, ITEM)


def test_attempt_questions_page_by_page(student, sheet):
    """Following `next`, then `previous`, every question comes once."""
    api = client(student)
    pages = [api.get("attempts/122046/questions/")]
    while pages[-1]["next"]:
        pages.append(api.get(pages[-1]["next"]))

    assert [len(page["results"]) for page in pages] == [20] * 5
    assert len({item["id"] for page in pages for item in page["results"]}) == 100
    assert all(differences(example("attempt_questions"), page, ITEM) == [] for page in pages)
    assert all(api.get(later["previous"]) == earlier for earlier, later in pairwise(pages))


def test_attempt_question_update(student, sheet, at):
    """Saved after twenty days at one sitting, which is when a time spent begins with days."""
    at(sheet.date + timedelta(days=20, hours=3, minutes=58, seconds=48, microseconds=44696))

    found = client(student).put("attempts/122046/questions/12705318/", {"selected_answers": [129, 130], "review": True})

    assert_as_documented(found, example("attempt_question_update"), ITEM)


def test_attempt_question_of_an_essay(stage):
    """What no example shows: topics, a direction, and a text."""
    api = Api(stage.asha)
    topic = stage.essay.question.essay_topics.first()

    found = api.put(
        f"attempts/{stage.running.pk}/questions/{stage.essay.pk}/", {"essay_text": "Once", "essay_topic": topic.pk}
    )

    assert differences(example("attempt_question_update"), found, ITEM) == []
    assert found["question"]["essay_topics"] == [
        {"id": topic.pk, "title": "This"},
        {"id": topic.pk + 1, "title": "That"},
    ]


def as_reviewed(documented, *, shown):
    """A documented review with what its clients read of it beside."""
    for item in documented["results"]:
        item["question"]["explanation_html"] = "<p>Because.</p>" if shown else ""
        for place, found in enumerate(item["question"]["answers"]):
            found["is_correct"] = place == 0 if shown else None
    return documented


@pytest.mark.parametrize("shown", [True, False])
def test_attempt_review(student, sheet, shown):
    """The document's `next` leads to the questions, which a completed attempt refuses: here it leads to the review."""
    Exam.objects.update(show_answers=shown)
    api = client(student)
    api.put("attempts/122046/end/")

    found = api.get("attempts/122046/review/")

    documented = as_reviewed(example("attempt_review"), shown=shown)
    documented["next"] = documented["next"].replace("/questions/", "/review/")
    assert differences(documented, found, ITEM) == []
    assert found | {"results": found["results"][:2]} == documented


# --- Products, posts --------------------------------------------------------------------------------------------------


@pytest.fixture
def documented_product():
    """The document's product, with a picture of this server's."""
    facts = example("products")["results"][0]
    product = Product.objects.create(
        id=facts["id"],
        title=facts["title"],
        slug=facts["slug"],
        start_date=moment(facts["start_date"]),
        end_date=moment(facts["end_date"]),
        types=facts["types"],
        price=facts["price"],
        description="<p>All of it.</p>",
    )
    product.categories.set([ProductCategory.objects.create(name=name) for name in facts["categories"]])
    product.exams.set([documented_exam(example("exams")["results"][0])])
    ProductImage.objects.create(product=product, original=ContentFile(picture(), "picture.jpeg"))
    return product


def own_pictures(documented, found):
    """The documented product with this server's addresses of its pictures."""
    return documented | {"image": found["image"], "images": found["images"]}


def test_products(student, documented_product, at):
    """All of it but the pictures' addresses."""
    at(moment("2016-01-01T00:00:00Z"))

    found = client(student).get("products/")

    documented = example("products")
    assert differences(documented, found, PRODUCT) == []
    assert found["results"][0]["image"] == found["results"][0]["images"][0]["original"]
    documented["results"] = [own_pictures(*pair) for pair in zip(documented["results"], found["results"], strict=True)]
    assert found == documented


def test_products_without_pictures_and_dates(stage):
    """What may be empty: pictures, the dates."""
    Product.objects.update(start_date=None)

    found = Api(stage.asha).get("products/")

    assert differences(example("products"), found, PRODUCT) == []
    (row,) = found["results"]
    assert (row["image"], row["images"], row["start_date"], row["end_date"]) == ("", [], None, None)


def test_product(student, documented_product, at):
    """One object, where the document repeats the list by mistake, with the four keys of its own table of fields."""
    at(moment("2016-01-01T00:00:00Z"))
    note = Note.objects.create(
        product=documented_product, title="Maps", attachment=ContentFile(b"%PDF-1.7", "maps.pdf"), description="Old"
    )
    slug = documented_product.slug

    found = client(student).get(f"products/{slug}/")

    documented = own_pictures(example("product")["results"][0], found) | {
        "notes_count": 1,
        "description": "<p>All of it.</p>",
        "exams": example("exams")["results"][:1],
        "notes": [
            {
                "id": note.pk,
                "url": f"http://{HOST}/api/v2.1/products/{slug}/",
                "title": "Maps",
                "slug": "maps",
                "description": "Old",
                "attachment": f"http://{HOST}{note.attachment.url}",
            }
        ],
        "requires_shipping": False,
    }
    assert differences(documented, found, PRODUCT) == []
    assert found == documented


@pytest.fixture
def documented_posts(at):
    """The document's two posts, each written at its moment."""
    facts = {row["id"]: row for row in example("posts")["results"]} | {example("post")["id"]: example("post")}
    category = PostCategory.objects.create(**facts[26]["category"])
    author = User.objects.create(id=10, username="admin", is_staff=True)
    for row in facts.values():
        at(moment(row["created"]))
        Post.objects.create(
            id=row["id"],
            title=row["title"],
            slug=row["slug"] if "slug" in row else row["url"].rstrip("/").rpartition("/")[2],
            summary=row["summary"],
            content_html=row.get("content_html", "<p>More</p>"),
            category=category,
            created_by=author,
        )


def test_posts(student, documented_posts):
    """The document's `next` leads to a second page of two posts, of which there is none."""
    documented = example("posts") | {"next": None}

    assert_as_documented(client(student).get("posts/"), documented, POST)


def test_post(student, documented_posts):
    assert_as_documented(client(student).get("posts/working-great/"), example("post"), POST)
