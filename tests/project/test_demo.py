"""The demo institute: what it holds, what its student meets in the API, and what `remove_demo` takes and leaves."""

from datetime import timedelta
from io import StringIO
from itertools import chain

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db.models import Count, Q
from django.test import override_settings
from django.utils import timezone

from accounts.models import Batch, Institute, User
from attempts import lifecycle
from attempts.models import Attempt
from catalog.models import Note, Product
from exams import papers
from exams.models import Answer, Course, Exam, ExamQuestion, Question, Subject
from posts.models import Category, Post
from testpress import demo
from testpress.demo import loading, removing
from tests.conftest import Api, make_exam, make_question, make_user
from tests.project.test_demo_exam_files import questions_of_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_loaded")]


@pytest.fixture(scope="module")
def _loaded(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo, loaded once for the tests of this module: each of them rolls back what it changes."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")):
        with django_db_blocker.unblock():
            # Earlier tests have rolled back exams of the ids that come now, not what is remembered of them.
            cache.clear()
            papers.remembered.cache_clear()
            loading.load()
        yield
        with django_db_blocker.unblock():
            removing.remove()


@pytest.fixture
def divya():
    return Api(User.objects.get(username=demo.STUDENT))


@pytest.fixture
def remove_demo():
    """Runs the command; gives what it prints. The files stay: what follows the commit never comes here."""

    def run():
        out = StringIO()
        call_command("remove_demo", stdout=out)
        return out.getvalue()

    return run


# --- What is loaded --------------------------------------------------------------------------------------------------


def test_load_demo_makes_an_institute():
    counts = {model.__name__: model.objects.count() for model in (Batch, Exam, Product, Post, Category, Note)}

    assert counts == {"Batch": 3, "Exam": 6, "Product": 2, "Post": 5, "Category": 2, "Note": 2}
    assert User.objects.filter(is_staff=False).count() >= 12
    assert Question.objects.count() == len(questions_of_files())
    assert Institute.objects.get().name == demo.INSTITUTE


def test_load_demo_stores_what_the_files_say():
    """Nothing should be lost to the sanitizer on the way."""
    stored = Question.objects.values_list("question_html", flat=True)

    assert sorted(stored) == sorted(question["question_html"] for question in questions_of_files())
    wrong_keys = Question.objects.annotate(n=Count("answers", filter=Q(answers__is_correct=True))).filter(
        Q(type="R") & ~Q(n=1) | Q(type="C") & Q(n__lt=2) | Q(type="E") & ~Q(n=0)
    )
    assert list(wrong_keys) == []


def test_only_two_log_ins_work():
    able = [user.username for user in User.objects.order_by("username") if user.has_usable_password()]

    assert able == sorted([demo.ADMIN, demo.STUDENT])


def test_load_demo_is_the_same_each_time(remove_demo):
    def results():
        columns = ("exam__slug", "user__username", "number", "score", "seconds_taken", "remaining_time")
        return sorted(Attempt.objects.values_list(*columns))

    before = results()
    remove_demo()

    loading.load(now=timezone.now() + timedelta(days=3, hours=7))

    assert results() == before


def test_load_demo_ranks_its_students():
    ranked = Attempt.objects.ranked().filter(exam__slug=demo.BANKING)
    ties = ranked.values("score", "seconds_taken").annotate(n=Count("pk")).filter(n=2)

    assert ranked.count() == 12
    assert ties.count() == 1


def test_load_demo_twice_is_refused():
    with pytest.raises(CommandError, match="loaded already"):
        call_command("load_demo")

    assert Exam.objects.count() == 6


# --- What the demo's student meets -----------------------------------------------------------------------------------


def test_student_logs_in_and_has_a_profile():
    client = Api()
    token = client.post("auth-token/", {"username": "testpress", "password": "demo"})["token"]
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")

    me = client.get("me/")

    assert (me["display_name"], me["gender"], me["state"]) == ("Divya", "Female", "Tamil Nadu")
    assert me["batches"] == ["EEE", "UPSC Morning Batch"]
    assert all(me[size] for size in ("photo", "large_image", "medium_image", "small_image", "mini_image"))


@pytest.mark.parametrize(
    ("state", "slugs"),
    [
        ("available", [demo.GENERAL_STUDIES]),
        ("upcoming", [demo.SCIENCE]),
        ("history", [demo.MAINS, demo.BANKING, demo.POLITY]),
    ],
)
def test_student_finds_exams_in_every_list(divya, state, slugs):
    assert [exam["slug"] for exam in divya.get(f"exams/{state}/")["results"]] == slugs


def test_student_sees_rank_and_percentile(divya):
    [attempt] = divya.get(f"exams/{demo.BANKING}/attempts/")["results"]

    assert (attempt["state"], attempt["score"]) == ("Completed", "11.50")
    assert (attempt["rank"], attempt["max_rank"], attempt["percentile"]) == (4, 12, 75)


def test_student_retook_an_exam(divya):
    attempts = divya.get(f"exams/{demo.POLITY}/attempts/")["results"]

    assert [attempt["score"] for attempt in attempts] == ["6.75", "3.25"]
    assert [a["remaining_attempts"] for a in divya.get("attempts/")["results"] if a["id"] == attempts[0]["id"]] == [1]


def test_student_resumes_the_paused_attempt(divya):
    [attempt] = divya.get(f"exams/{demo.MAINS}/attempts/")["results"]
    assert attempt["state"] == "Running"
    assert attempt["remaining_time"] == "0:38:23"

    resumed = divya.put(attempt["url"] + "start/")
    questions = divya.get(attempt["questions_url"])["results"]

    assert resumed["remaining_time"] == "0:38:23"
    assert questions[0]["essay_text"].startswith("A village council")
    assert [bool(question["selected_answers"]) for question in questions[:5]] == [False, False, True, True, False]


def test_student_takes_the_available_exam(divya):
    attempt = divya.post(f"exams/{demo.GENERAL_STUDIES}/attempts/", status=201)

    result = divya.put(attempt["url"] + "end/")

    assert (attempt["state"], result["state"], result["unanswered_count"]) == ("Running", "Completed", 12)


def test_student_reviews_with_explanations(divya):
    [attempt] = divya.get(f"exams/{demo.BANKING}/attempts/")["results"]

    review = divya.get(attempt["review_url"])["results"]

    assert all(item["question"]["explanation_html"] for item in review)


def test_student_is_refused_the_other_batchs_exam_and_the_upcoming_one(divya):
    assert divya.get(f"exams/{demo.ELECTRONICS}/", status=403)["code"] == "not_available"
    assert divya.post(f"exams/{demo.SCIENCE}/attempts/", status=403)["code"] == "exam_not_started"


def test_student_finds_products_with_pictures_and_notes(divya):
    slugs = [product["slug"] for product in divya.get("products/")["results"]]

    product = divya.get(f"products/{demo.PRODUCTS[1]}/")

    assert slugs == list(reversed(demo.PRODUCTS))
    assert len(product["images"]) == 2
    assert [note["slug"] for note in product["notes"]] == list(demo.NOTES)
    assert all(note["attachment"] for note in product["notes"])


def test_student_finds_posts_of_both_categories(divya):
    shown = [post["url"].rsplit("/", 2)[1] for post in divya.get("posts/")["results"]]

    assert shown == [slug for slug in reversed(demo.POSTS) if slug != demo.POSTS[2]]
    assert divya.get(f"posts/{demo.POSTS[2]}/", status=403)
    assert "<math>" in divya.get(f"posts/{demo.POSTS[3]}/")["content_html"]


# --- Taking it out ---------------------------------------------------------------------------------------------------


def test_remove_demo_is_safe_to_repeat(remove_demo):
    first, second = remove_demo(), remove_demo()

    assert first.startswith("Removed of the demo: posts 5, products 2, attempts 23, exams 6, questions 59, users 15, ")
    assert second == "There is no demo here.\n"


def test_remove_demo_takes_what_the_demos_users_did(remove_demo):
    student = User.objects.get(username=demo.STUDENT)
    exam = Exam.objects.get(slug=demo.GENERAL_STUDIES)
    attempt, _ = lifecycle.start(exam, student)

    remove_demo()

    assert not Attempt.objects.filter(pk=attempt.pk).exists()
    assert not Exam.objects.filter(pk=exam.pk).exists()


def test_remove_demo_spares_what_others_made(remove_demo):
    """Also where it has the demo's names, and where the demo's students have been at it."""
    asha = make_user("asha", batches=["EEE"])
    exam = make_exam("Own exam", batches=["EEE"], course="UPSC", questions=["R", make_question(subject="Polity")])
    asha_s, _ = lifecycle.start(exam, asha)
    lifecycle.start(exam, User.objects.get(username="arun"))
    post = Post.objects.create(
        title="Own post", category=Category.objects.get(slug="demo-study-tips"), created_by=asha, active=True
    )
    product = Product.objects.create(title="Own product")

    said = remove_demo()

    assert list(User.objects.all()) == [asha]
    assert list(Exam.objects.all()) == [exam]
    assert list(Attempt.objects.all()) == [asha_s]
    assert list(Post.objects.all()) == [post]
    assert list(Product.objects.all()) == [product]
    assert [str(row) for row in chain(Batch.objects.all(), Course.objects.all(), Subject.objects.all())] == [
        "EEE",
        "UPSC",
        "Polity",
    ]
    assert list(Category.objects.all()) == [post.category]
    assert "stays" not in said


def test_remove_demo_keeps_an_exam_that_a_real_student_took(remove_demo):
    asha = make_user("asha", batches=["EEE"])
    exam = Exam.objects.get(slug=demo.GENERAL_STUDIES)
    attempt, _ = lifecycle.start(exam, asha)

    said = remove_demo()

    assert "Exam demo-general-studies stays: it has 1 attempt of real students.\n" in said
    assert list(Attempt.objects.all()) == [attempt]
    assert list(Exam.objects.all()) == [exam]
    assert exam.exam_questions.count() == 12
    assert list(User.objects.all()) == [asha]

    attempt.delete()
    asha.delete()

    assert remove_demo().startswith("Removed of the demo: exams 1, questions 12, batches 1, courses 1, ")
    models = (User, Batch, Exam, Question, Subject, Course, Attempt, Group)
    assert [model.__name__ for model in models if model.objects.exists()] == []


def test_remove_demo_keeps_questions_that_others_use_or_wrote(remove_demo):
    demo_exam = Exam.objects.get(slug=demo.SCIENCE)
    picked = demo_exam.exam_questions.first().question
    exam = make_exam("Own exam", questions=[picked])
    own = make_question(text="Who wrote this?")
    ExamQuestion.objects.create(exam=demo_exam, question=own, order=99)

    said = remove_demo()

    assert set(Question.objects.all()) == {picked, own}
    assert Answer.objects.filter(question=picked).count() == 4
    assert exam.exam_questions.get().question == picked
    assert "Left in the bank: 1 question that somebody added or reworded." in said


def test_remove_demo_keeps_an_author_without_any_log_in(remove_demo):
    author = User.objects.get(username=demo.ADMIN)
    category = Category.objects.create(name="Own")
    post = Post.objects.create(title="Own post", category=category, created_by=author)

    said = remove_demo()

    author.refresh_from_db()
    assert (author.is_active, author.is_staff, author.is_superuser) == (False, False, False)
    assert not author.has_usable_password()
    assert "User admin stays, but can no longer log in: they have 1 post.\n" in said
    post.delete()
    assert remove_demo() == "Removed of the demo: users 1.\n"
    assert not Group.objects.exists()


def test_remove_demo_takes_the_known_password_from_a_log_in_that_was_adopted(remove_demo):
    adopted = User.objects.get(username=demo.ADMIN)
    adopted.groups.clear()

    said = remove_demo()

    adopted.refresh_from_db()
    assert (adopted.is_active, adopted.is_superuser, adopted.has_usable_password()) == (True, True, False)
    assert "User admin is not in the demo's group and stays." in said
    assert list(User.objects.all()) == [adopted]


def test_remove_demo_keeps_a_product_with_somebodys_note(remove_demo):
    product = Product.objects.get(slug=demo.PRODUCTS[0])
    Note.objects.create(product=product, title="Own note")

    said = remove_demo()

    assert list(Product.objects.all()) == [product]
    assert "Product demo-banking-test-series stays: it has 1 note of yours.\n" in said


def test_remove_demo_leaves_a_name_the_institute_was_given(remove_demo):
    Institute.objects.update(name="Kanchi Academy")

    remove_demo()

    assert Institute.objects.get().name == "Kanchi Academy"
