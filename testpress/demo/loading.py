"""Loading the demo institute into an empty database, all or nothing."""

from datetime import datetime, time, timedelta

from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import photos
from accounts.middleware import institute_time_zone
from accounts.models import Batch, Institute, User
from catalog.models import Category as ProductCategory
from catalog.models import Note, Product, ProductImage
from exams import importing
from exams.models import Exam, Question
from posts.models import Category as PostCategory
from posts.models import Post
from testpress import demo
from testpress.demo import drawings, people, sittings, texts

# Days from the day of loading to the first and the last day of each exam's window; None: it never ends.
WINDOWS = {
    demo.GENERAL_STUDIES: (-7, None),
    demo.BANKING: (-10, 30),
    demo.MAINS: (-6, None),
    demo.SCIENCE: (7, 21),
    demo.ELECTRONICS: (-5, None),
    demo.POLITY: (-14, None),
}


def window(slug: str, *, now: datetime) -> tuple[datetime, datetime | None]:
    """When an exam loaded at `now` starts and ends: 9:00 on the first day, 18:00 on the last, institute's time."""
    zone = institute_time_zone()
    today = now.astimezone(zone).date()
    first, last = WINDOWS[slug]
    start = datetime.combine(today + timedelta(days=first), time(9), zone)
    return start, None if last is None else datetime.combine(today + timedelta(days=last), time(18), zone)


class NotEmpty(Exception):
    """The database holds something already; the message says what."""


def check_empty() -> None:
    """
    :raises NotEmpty: somebody has begun to use the database, or the demo is there.
    """
    if Group.objects.filter(name=demo.GROUP).exists():
        raise NotEmpty("The demo institute is loaded already. `manage.py remove_demo` takes it out.")
    holding = {
        "users": User,
        "exams": Exam,
        "questions": Question,
        "batches": Batch,
        "products": Product,
        "posts": Post,
    }
    if found := [name for name, model in holding.items() if model.objects.exists()]:
        raise NotEmpty(
            f"This database already holds {' and '.join(filter(None, [', '.join(found[:-1]), found[-1]]))} that are "
            "not the demo's. The demo institute, whose password everybody knows, does not load beside real data."
        )


def load(*, now: datetime | None = None) -> None:
    """Makes the demo, with all dates reckoned from `now`. If anything fails, neither rows nor files stay.

    :raises NotEmpty: see `check_empty`.
    """
    now = now or timezone.now()
    stored: list[str] = []
    try:
        with transaction.atomic():
            # Two that load at once come one after the other, and the later finds the earlier's.
            list(Institute.objects.select_for_update())
            check_empty()
            Institute.objects.filter(pk=Institute.ID, name=demo.UNNAMED_INSTITUTE).update(name=demo.INSTITUTE)
            batches = {name: Batch.objects.create(name=name) for name in demo.BATCHES}
            users = _make_users(batches, now)
            exams = _import_exams(now)
            sittings.sit_all(exams, users, now=now)
            _make_posts(batches, users[demo.ADMIN], now)
            # Files come last, when little is left that can fail.
            _make_products(exams, stored)
            stored += photos.file_names(
                photos.save_profile(users[demo.STUDENT], {}, photo=drawings.portrait())
            ).values()
    except NotEmpty:
        raise
    except BaseException:
        photos.remove(stored)
        # Papers of exams that are gone again may be in it, under ids that will be given anew. The database was empty,
        # so it holds nothing of worth.
        cache.clear()
        raise


def _make_users(batches, now):
    """All of the demo's users by username. Only the two that everybody may log in as have a password."""
    group = Group.objects.create(name=demo.GROUP)
    joined = now - timedelta(days=30)
    users = {
        demo.ADMIN: User(
            username=demo.ADMIN,
            email=people.email(demo.ADMIN),
            first_name="Demo",
            last_name="Admin",
            is_staff=True,
            is_superuser=True,
            date_joined=joined,
        )
    }
    students = people.students()
    for student in students:
        users[student.username] = User(**student.fields, email=people.email(student.username), date_joined=joined)
    for user in users.values():
        if user.username in (demo.STUDENT, demo.ADMIN):
            user.set_password(demo.PASSWORD)
        else:
            user.set_unusable_password()
        user.save()
    group.user_set.set(users.values())
    for student in students:
        users[student.username].batches.set([batches[name] for name in student.batches])
    return users


def _import_exams(now):
    """The exams by slug; the dates of `window` stand in place of the files' own."""
    exams = {}
    for path in sorted(demo.EXAM_FILES.glob("*.json")):
        data = importing.parse(path.read_bytes())
        start, end = window(data["slug"], now=now)
        data["start_date"], data["end_date"] = start.isoformat(), end and end.isoformat()
        exam = importing.import_exam(data).exam
        exams[exam.slug] = exam
    return exams


def _make_products(exams, stored):
    for text in texts.PRODUCT_TEXTS:
        category, _ = ProductCategory.objects.get_or_create(name=text.category)
        product = Product.objects.create(
            slug=text.slug,
            title=text.title,
            description=text.description,
            types=[str(kind) for kind in text.types],
            price=text.price,
            requires_shipping=text.requires_shipping,
        )
        product.categories.set([category])
        product.exams.set([exams[slug] for slug in text.exams])
        for order, picture in enumerate(text.pictures):
            file = ContentFile(drawings.cover(*picture), "cover.png")
            _keep(ProductImage(product=product, order=order, original=file), stored)
        for note in text.notes:
            file = ContentFile(drawings.page(note.lines), f"{note.slug}.pdf")
            _keep(
                Note(product=product, slug=note.slug, title=note.title, description=note.description, attachment=file),
                stored,
            )


def _keep(row, stored):
    row.save()
    stored += row.file_names()


def _make_posts(batches, author, now):
    categories = {
        slug: PostCategory.objects.create(slug=slug, name=name, color=color)
        for (slug, name), color in zip(demo.POST_CATEGORIES.items(), ("3366CC", "CC6633"), strict=True)
    }
    for text in texts.POST_TEXTS:
        post = Post.objects.create(
            slug=text.slug,
            title=text.title,
            summary=text.summary,
            content_html=text.content_html,
            category=categories[text.category],
            created_by=author,
            created=now - text.ago,
            public=text.public,
        )
        post.batches.set([batches[name] for name in text.batches])
    # Nobody has touched them since.
    Post.objects.order_by().update(modified=F("created"))
