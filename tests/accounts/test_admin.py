"""Users, batches and the institute in the admin site, and its log-in form."""

import base64

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from accounts import throttling
from accounts.middleware import institute_time_zone
from accounts.models import Batch, Institute, LoginFailure, User
from tests.accounts.conftest import picture, stored_files
from tests.conftest import NOW, PASSWORD, Api, make_exam, make_user

WRONG = "Please enter the correct username and password for a staff account."


class Site(Client):
    """A browser of that user in the admin site; checks the status, gives the page's text."""

    def __init__(self, user=None):
        super().__init__(HTTP_HOST="localhost")
        if user is not None:
            self.force_login(user)

    def page(self, path, data=None, *, status=200):
        """GET, or POST where there is data."""
        send = super().get if data is None else super().post
        self.response = send(f"/admin/{path}", data)
        assert self.response.status_code == status, (self.response.status_code, self.response.get("Location"))
        return self.response.content.decode()

    def problems(self):
        form = self.response.context["adminform"].form
        return dict(form.errors.items())


def may(user, *codenames):
    """The user, with these permissions."""
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def clerk(teacher):
    """A member of staff who keeps the users, and may do nothing else."""
    return may(teacher, "view_user", "add_user", "change_user", "delete_user")


def form(user, **changes):
    """What a browser sends of the user's page, with changes; the rights are left as they are."""
    fields = ["username", "first_name", "last_name", "email", "phone", "address1", "address2", "city", "zip"]
    data = {name: getattr(user, name) for name in fields}
    data |= {"birth_date": "", "gender": "", "state": ""}
    data |= {flag: "on" for flag in ("is_active", "is_staff", "is_superuser") if getattr(user, flag)}
    data["batches"] = list(user.batches.values_list("pk", flat=True))
    data["user_permissions"] = list(user.user_permissions.values_list("pk", flat=True))
    return {name: value for name, value in (data | changes).items() if value is not None}


# --- Logging in ---


def log_in(site, username="teacher", password=PASSWORD, *, status=302):
    return site.page("login/", {"username": username, "password": password}, status=status)


def test_admin_log_in(teacher):
    """Staff should be allowed in, whatever the case of the username's letters."""
    site = Site()
    log_in(site, "Teacher")
    site.page("")


@pytest.mark.parametrize(
    ("username", "password"),
    [("teacher", "wrong"), ("nobody", PASSWORD), ("asha", PASSWORD), ("gone", PASSWORD)],
)
def test_admin_log_in_wrong(teacher, asha, username, password):
    """Wrong passwords, unknown users, students and inactive staff should get the same words, and be counted."""
    make_user("gone", is_staff=True, is_active=False)
    assert WRONG in log_in(Site(), username, password, status=200)
    assert LoginFailure.objects.count() == 1


def test_admin_log_in_waits(teacher, at):
    """After five failures the form should wait, even for the right password, and so should the API."""
    at(NOW)
    site = Site()
    for _ in range(5):
        assert WRONG in log_in(site, password="wrong", status=200)
    assert "Expected available in 60 seconds." in log_in(site, status=200)
    Api().post("auth-token/", {"username": "teacher", "password": PASSWORD}, status=429)
    assert LoginFailure.objects.count() == 5
    at(NOW + throttling.WAIT)
    log_in(site)
    assert LoginFailure.objects.count() == 0


def test_admin_log_in_empty(teacher):
    """An empty or overlong field should be told, and count as no failure."""
    assert "This field is required." in log_in(Site(), password="", status=200)
    assert "at most 4096 characters" in log_in(Site(), password="x" * 4097, status=200)
    assert LoginFailure.objects.count() == 0


def test_admin_for_students(asha):
    """A student should not see the admin site."""
    Site(asha).page("accounts/user/", status=302)


def test_admin_without_permission(teacher):
    """Staff without a permission should see no users."""
    Site(teacher).page("accounts/user/", status=403)


# --- Users ---


@pytest.mark.parametrize("students", [1, 3])
def test_admin_user_list(admin, students, media):
    """The list should cost the same statements whatever its length."""
    site = Site(admin)
    institute_time_zone()
    site.page("accounts/user/")
    for n in range(students):
        make_user(f"student{n}", batches=["EEE", f"B{n}"])
    with connection.execute_wrapper(counting := Counting()):
        page = site.page("accounts/user/")
    # Session, user, two counts, the rows, their batches, the filter's batches.
    assert counting.number == 7, counting.number
    assert "B0, EEE" in page


class Counting:
    """Counts statements."""

    number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)


@pytest.mark.parametrize("words", ["asha", "Rao", "asha@example.com", "90435"])
def test_admin_user_search(admin, asha, balu, words):
    """A user should be found by username, name, e-mail and phone."""
    asha.phone = "9043570576"
    asha.save()
    page = Site(admin).page(f"accounts/user/?q={words}")
    assert ">asha<" in page
    assert ">balu<" not in page


def test_admin_user_page(admin, asha, put):
    """A user's page should show the photo."""
    answer = put({"photo": base64.b64encode(picture()).decode()})
    page = Site(admin).page(f"accounts/user/{asha.pk}/change/")
    assert answer["medium_image"].removeprefix("http://localhost") in page


def test_admin_user_add(admin):
    """A superuser should be allowed to add a student with batches."""
    batch = Batch.objects.create(name="EEE")
    data = {"username": "esha", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    Site(admin).page("accounts/user/add/", data | {"first_name": "Esha", "batches": [batch.pk]}, status=302)
    user = User.objects.get(username="esha")
    assert (user.first_name, list(user.batches.all()), user.is_staff) == ("Esha", [batch], False)
    Api().post("auth-token/", {"username": "esha", "password": PASSWORD})


def test_admin_user_add_taken(admin, asha):
    """A username that is taken in another case should be refused."""
    data = {"username": "ASHA", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    site = Site(admin)
    site.page("accounts/user/add/", data)
    assert "already exists" in str(site.problems())


def test_admin_user_rename_taken(admin, asha, balu):
    """A user should not be given a username that is taken in another case."""
    site = Site(admin)
    site.page(f"accounts/user/{balu.pk}/change/", form(balu, username="Asha"))
    assert "already exists" in str(site.problems())
    site.page(f"accounts/user/{balu.pk}/change/", form(balu, username="BALU"), status=302)


def test_admin_user_deactivate(admin, asha, balu):
    """A superuser should be allowed to deactivate students: their log-ins end."""
    api = Api(asha)
    action = {"action": "deactivate", "_selected_action": [asha.pk, balu.pk, admin.pk]}
    Site(admin).page("accounts/user/", action, status=302)
    assert set(User.objects.filter(is_active=False)) == {asha, balu}
    api.get("me/", status=401)
    Site(admin).page("accounts/user/", action | {"action": "activate"}, status=302)
    api.get("me/")


def test_admin_user_with_attempts(admin, asha, at):
    """A student with an attempt should not be deleted: the page says why."""
    at(NOW)
    exam = make_exam()
    Api(asha).post(f"exams/{exam.slug}/attempts/", status=201)
    page = Site(admin).page(f"accounts/user/{asha.pk}/delete/")
    assert "Cannot delete user" in page
    Site(admin).page(f"accounts/user/{asha.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=asha.pk).exists()


@pytest.mark.parametrize("way", ["one", "selected"])
def test_admin_user_delete(admin, asha, media, way, django_capture_on_commit_callbacks):
    """A deleted user's photo should be deleted, too."""
    asha.photo = default_storage.save("i/1.jpeg", ContentFile(b"x"))
    asha.mini_image = default_storage.save("i/2.jpeg", ContentFile(b"x"))
    asha.save()
    with django_capture_on_commit_callbacks(execute=True):
        if way == "one":
            Site(admin).page(f"accounts/user/{asha.pk}/delete/", {"post": "yes"}, status=302)
        else:
            data = {"action": "delete_selected", "_selected_action": [asha.pk], "post": "yes"}
            Site(admin).page("accounts/user/", data, status=302)
    assert not User.objects.filter(pk=asha.pk).exists()
    assert stored_files() == set()


# --- Who may grant what ---


def test_admin_clerk_changes_student(clerk, asha):
    """Staff with the permission should be allowed to change a student and their password."""
    site = Site(clerk)
    site.page(f"accounts/user/{asha.pk}/change/", form(asha, first_name="Aasha"), status=302)
    data = {"usable_password": "true", "password1": "quite another 43", "password2": "quite another 43"}
    site.page(f"accounts/user/{asha.pk}/password/", data, status=302)
    asha.refresh_from_db()
    assert asha.first_name == "Aasha"
    assert asha.check_password("quite another 43")


@pytest.mark.parametrize("whom", ["clerk", "asha"])
def test_admin_clerk_grants_nothing(clerk, asha, whom):
    """Staff should not be allowed to grant rights, to themselves or others."""
    user = {"clerk": clerk, "asha": asha}[whom]
    group = Group.objects.create(name="mighty")
    before = (user.is_staff, set(user.user_permissions.all()))
    rights = {
        "is_superuser": "on",
        "is_staff": None if user.is_staff else "on",
        "groups": [group.pk],
        "user_permissions": list(Permission.objects.values_list("pk", flat=True)),
    }
    Site(clerk).page(f"accounts/user/{user.pk}/change/", form(user, city="Salem", **rights), status=302)
    user = User.objects.get(pk=user.pk)
    assert (user.is_staff, set(user.user_permissions.all())) == before
    assert (user.city, user.is_superuser, user.groups.count()) == ("Salem", False, 0)


def test_admin_clerk_adds_no_staff(clerk):
    """Staff should be allowed to add students, who get no rights whatever is sent along."""
    data = {"username": "esha", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    Site(clerk).page("accounts/user/add/", data | {"is_staff": "on", "is_superuser": "on"}, status=302)
    user = User.objects.get(username="esha")
    assert (user.is_staff, user.is_superuser) == (False, False)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("kind", ["superuser", "permission", "group"])
def test_admin_clerk_and_the_mighty(clerk, kind, active):
    """Staff should not be allowed to change, deactivate or delete who may do more, nor to take over their password."""
    mighty = make_user("mighty", is_staff=True, is_superuser=kind == "superuser", is_active=active)
    permission = Permission.objects.get(codename="change_exam")
    if kind == "permission":
        mighty.user_permissions.add(permission)
    if kind == "group":
        mighty.groups.add(Group.objects.create(name="examiners"))
        mighty.groups.get().permissions.add(permission)
    before = User.objects.values().get(pk=mighty.pk)
    site = Site(clerk)

    site.page(f"accounts/user/{mighty.pk}/change/", form(mighty, first_name="Taken"), status=403)
    data = {"usable_password": "true", "password1": "quite another 43", "password2": "quite another 43"}
    site.page(f"accounts/user/{mighty.pk}/password/", data, status=403)
    site.page(f"accounts/user/{mighty.pk}/delete/", {"post": "yes"}, status=403)
    for action in ("activate", "deactivate"):
        site.page("accounts/user/", {"action": action, "_selected_action": [mighty.pk]}, status=302)
    site.page(
        "accounts/user/", {"action": "delete_selected", "_selected_action": [mighty.pk], "post": "yes"}, status=403
    )

    assert User.objects.values().get(pk=mighty.pk) == before


def test_admin_clerk_and_colleague(clerk):
    """Staff should be allowed to change a colleague who may do no more than they."""
    colleague = may(make_user("colleague", is_staff=True), "view_user")
    Site(clerk).page(f"accounts/user/{colleague.pk}/change/", form(colleague, city="Salem"), status=302)
    colleague.refresh_from_db()
    assert (colleague.city, colleague.is_staff) == ("Salem", True)


def test_admin_superuser_grants(admin, asha):
    """A superuser should be allowed to grant rights."""
    permission = Permission.objects.get(codename="change_exam")
    data = form(asha, is_staff="on", user_permissions=[permission.pk])
    Site(admin).page(f"accounts/user/{asha.pk}/change/", data, status=302)
    asha.refresh_from_db()
    assert (asha.is_staff, list(asha.user_permissions.all())) == (True, [permission])


def test_admin_groups(teacher, admin):
    """Groups should be a superuser's only: who changes one's own group grants oneself rights."""
    teacher = may(teacher, "view_group", "add_group", "change_group", "delete_group")
    group = Group.objects.create(name="teachers")
    site = Site(teacher)
    assert "teachers" in site.page("auth/group/")
    site.page("auth/group/add/", status=403)
    site.page(f"auth/group/{group.pk}/change/", {"name": "x"}, status=403)
    site.page(f"auth/group/{group.pk}/delete/", {"post": "yes"}, status=403)
    Site(admin).page(f"auth/group/{group.pk}/change/", {"name": "examiners"}, status=302)


# --- Batches and the institute ---


def test_admin_batches(admin, asha, balu, chitra):
    """The list should count each batch's students, not its staff, and be searched by name."""
    admin.batches.add(Batch.objects.get(name="EEE"))
    site = Site(admin)
    site.page("accounts/batch/")
    rows = {batch.name: batch.student_count for batch in site.response.context["cl"].result_list}
    assert rows == {"ECE": 1, "EEE": 2}
    site.page("accounts/batch/?q=ece")
    assert [batch.name for batch in site.response.context["cl"].result_list] == ["ECE"]


def test_admin_batch_of_an_exam_stays(admin, asha):
    """Without its only batch an exam would be open to everybody, so the batch should not be deleted, nor in bulk."""
    make_exam(batches=["EEE"])
    free = Batch.objects.create(name="Free")
    kept = Batch.objects.get(name="EEE")
    site = Site(admin)
    for batch, left in [(kept, True), (free, False)]:
        site.page(f"accounts/batch/{batch.pk}/delete/", {"post": "yes"}, status=200 if left else 302)
        assert Batch.objects.filter(pk=batch.pk).exists() is left
    bulk = {"action": "delete_selected", "_selected_action": [kept.pk], "post": "yes"}
    site.page("accounts/batch/", bulk, status=200)
    assert "exam: General Studies" in site.response.content.decode()
    assert Batch.objects.filter(pk=kept.pk).exists()


def test_admin_batch_taken(admin, asha):
    """Two batches of one name should be refused."""
    site = Site(admin)
    site.page("accounts/batch/add/", {"name": "EEE"})
    assert site.problems() == {"name": ["Batch with this Name already exists."]}


def test_admin_institute(admin, django_capture_on_commit_callbacks):
    """The institute's time zone should be changed there, and hold at once in this process."""
    assert str(institute_time_zone()) == "Asia/Kolkata"
    with django_capture_on_commit_callbacks(execute=True):
        Site(admin).page("accounts/institute/1/change/", {"name": "Academy", "time_zone": "Asia/Colombo"}, status=302)
    assert Institute.objects.get().name == "Academy"
    assert str(institute_time_zone()) == "Asia/Colombo"


def test_admin_institute_time_zone(admin):
    """An unknown time zone should be refused."""
    site = Site(admin)
    site.page("accounts/institute/1/change/", {"name": "Academy", "time_zone": "Asia/Atlantis"})
    assert site.problems() == {"time_zone": ["'Asia/Atlantis' is not a time zone of the IANA database."]}


def test_admin_one_institute(admin):
    """There should be one institute: none is added, none deleted."""
    site = Site(admin)
    site.page("accounts/institute/add/", status=403)
    site.page("accounts/institute/1/delete/", {"post": "yes"}, status=403)
    assert Institute.objects.count() == 1


def test_admin_login_failures(admin):
    """Failures should not be shown: they are the log-in's own notes."""
    Site(admin).page("accounts/loginfailure/", status=404)
