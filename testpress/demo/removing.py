"""Taking the demo institute out again: what is the demo's goes, what others made stays.

What is the demo's is known by `testpress/demo/__init__.py`. Something of the demo that real data hangs on stays, and is
reported. Batches, courses, subjects and categories are shared by nature: one that the demo brought goes only where the
demo used it until now and nobody does any more.
"""

from dataclasses import dataclass, field

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import ProtectedError, Q, RestrictedError

from accounts import photos
from accounts.models import Batch, Institute, User
from attempts.models import Attempt
from catalog.models import Category as ProductCategory
from catalog.models import Note, Product
from exams import importing, papers
from exams.models import Course, Exam, ExamQuestion, Question, Subject
from posts.models import Category as PostCategory
from posts.models import Post
from testpress import demo
from testpress.html import clean_html


@dataclass
class Report:
    """How many rows of which kind were removed, and a sentence for each thing that stayed."""

    removed: dict[str, int] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def count(self, kind: str, number: int) -> None:
        if number:
            self.removed[kind] = self.removed.get(kind, 0) + number


@dataclass(frozen=True)
class _Files:
    """What the demo's exam files brought into the bank."""

    questions: frozenset[str]
    subjects: frozenset[str]
    courses: frozenset[str]


@transaction.atomic
def remove() -> Report:
    """Removes the demo, files after the commit. Safe to repeat: once it is gone, nothing is found."""
    report, brought = Report(), _read_files()
    users = User.objects.filter(groups__name=demo.GROUP)
    user_ids = list(users.values_list("pk", flat=True))
    # Locked before anything is looked at: nobody starts an attempt at them meanwhile.
    exams = papers.lock(Exam.objects.filter(slug__in=demo.EXAMS))
    shared = _shared(user_ids, exams, brought)

    _remove_posts(report)
    _remove_products(report)
    report.count("attempts", Attempt.objects.filter(user__in=user_ids).count())
    Attempt.objects.filter(user__in=user_ids).delete()
    _remove_exams(exams, brought, report)
    _remove_users(users, report)
    _take_away_passwords(report)
    for kind, rows in shared.items():
        unused = _unused(rows)
        report.count(kind, unused.count())
        unused.delete()
    Group.objects.filter(name=demo.GROUP, user=None).delete()
    Institute.objects.filter(pk=Institute.ID, name=demo.INSTITUTE).update(name=demo.UNNAMED_INSTITUTE)
    return report


def _read_files() -> _Files:
    files = [importing.parse(path.read_bytes()) for path in sorted(demo.EXAM_FILES.glob("*.json"))]
    questions = [question for file in files for question in file["questions"]]
    return _Files(
        # As they were stored.
        questions=frozenset(clean_html(question["question_html"]) for question in questions),
        subjects=frozenset(question["subject"] for question in questions),
        courses=frozenset(file["course"] for file in files),
    )


def _shared(user_ids, exams, brought):
    """By kind the rows that the demo brought and uses at this moment, as querysets that go on naming the same rows."""
    posts, products = Post.objects.filter(slug__in=demo.POSTS), Product.objects.filter(slug__in=demo.PRODUCTS)
    in_use = {
        "batches": Batch.objects.filter(
            Q(users__in=user_ids) | Q(exams__in=exams) | Q(posts__in=posts), name__in=demo.BATCHES
        ),
        "courses": Course.objects.filter(exams__in=exams, name__in=brought.courses),
        "subjects": Subject.objects.filter(questions__exam_questions__exam__in=exams, name__in=brought.subjects),
        "product categories": ProductCategory.objects.filter(products__in=products, name__in=demo.PRODUCT_CATEGORIES),
        "post categories": PostCategory.objects.filter(posts__in=posts, slug__in=demo.POST_CATEGORIES),
    }
    return {
        kind: rows.model.objects.filter(pk__in=set(rows.values_list("pk", flat=True))) for kind, rows in in_use.items()
    }


def _unused(rows):
    """Those of `rows` that no other row refers to."""
    nobody = {f"{relation.name}__isnull": True for relation in rows.model._meta.related_objects}
    return rows.filter(**nobody)


def _remove_posts(report):
    posts = Post.objects.filter(slug__in=demo.POSTS)
    report.count("posts", posts.count())
    posts.delete()


def _remove_products(report):
    for product in Product.objects.filter(slug__in=demo.PRODUCTS).order_by("pk"):
        if others := Note.objects.filter(product=product).exclude(slug__in=demo.NOTES).count():
            report.kept.append(f"Product {product.slug} stays: it has {_number(others, 'note')} of yours.")
            continue
        product.delete()
        report.count("products", 1)


def _remove_exams(exams, brought, report):
    for exam in exams:
        if reasons := _what_hangs_on(exam):
            report.kept.append(f"Exam {exam.slug} stays: it has {' and '.join(reasons)}.")
            continue
        questions = list(exam.exam_questions.values_list("question", flat=True))
        exam.delete()
        report.count("exams", 1)
        _remove_questions(questions, brought, report)


def _what_hangs_on(exam):
    """What real data hangs on a demo's exam whose demo attempts are gone, in words."""
    counts = {
        "attempt of real students": Attempt.objects.filter(exam=exam).count(),
        "product of yours": Product.objects.filter(exams=exam).exclude(slug__in=demo.PRODUCTS).count(),
    }
    for relation in Exam._meta.related_objects:
        if relation.one_to_many and relation.related_model not in (Attempt, ExamQuestion):
            name = relation.related_model._meta.verbose_name
            counts[str(name)] = relation.related_model._base_manager.filter(**{relation.field.name: exam}).count()
    return [_number(count, name) for name, count in counts.items() if count]


def _remove_questions(question_ids, brought, report):
    """Those of a removed exam's questions that no exam has any more and that are still worded as the demo brought them.

    Whatever else stood in the exam is somebody's work, and stays in the bank.
    """
    free = Question.objects.filter(pk__in=question_ids, exam_questions=None)
    own = [question.pk for question in free if question.question_html in brought.questions]
    if others := free.count() - len(own):
        report.kept.append(f"Left in the bank: {_number(others, 'question')} that somebody added or reworded.")
    Question.objects.filter(pk__in=own).delete()
    report.count("questions", len(own))


def _remove_users(users, report):
    for user in users.order_by("pk"):
        files = list(photos.file_names(user).values())
        try:
            # A row of its own: what another row protects raises before anything is deleted.
            user.delete()
        except (ProtectedError, RestrictedError) as error:
            rows = getattr(error, "protected_objects", None) or error.restricted_objects
            name = str(next(iter(rows))._meta.verbose_name)
            _shut_out(user)
            report.kept.append(
                f"User {user.username} stays, but can no longer log in: they have {_number(len(rows), name)}."
            )
        else:
            transaction.on_commit(lambda names=files: photos.remove(names))
            report.count("users", 1)


def _shut_out(user):
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "is_staff", "is_superuser", "password"])


def _take_away_passwords(report):
    """A log-in that somebody took out of the demo's group is theirs, but not with the password that everybody knows."""
    for user in User.objects.filter(username__in=(demo.STUDENT, demo.ADMIN)).order_by("pk"):
        if user.check_password(demo.PASSWORD):
            user.set_unusable_password()
            user.save(update_fields=["password"])
            report.kept.append(
                f"User {user.username} is not in the demo's group and stays. Everybody knew the password, so it is "
                f"taken away: `manage.py changepassword {user.username}` sets a new one."
            )


def _number(count, name):
    """`1 product of yours`, `3 products of yours`: the plural goes to the first word."""
    noun, *rest = name.split(" ", 1)
    return " ".join([str(count), noun if count == 1 else f"{noun}s", *rest])
