"""Who there is: the institute, its batches, its users, failed log-ins, and the credentials of other systems."""

import zoneinfo

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone


def validate_time_zone(name):
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is not a time zone of the IANA database.")


class Institute(models.Model):
    """The one institute of this server, row 1; every date of the API is told in its time zone."""

    ID = 1

    name = models.CharField(max_length=200)
    time_zone = models.CharField(
        max_length=64,
        default="Asia/Kolkata",
        validators=[validate_time_zone],
        help_text="As in the IANA database, such as Asia/Kolkata. Dates typed without a zone mean this one.",
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_institute")]

    def __str__(self):
        return self.name


class Batch(models.Model):
    """A group of students who are taught together; exams and posts can be kept to some batches."""

    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "batches"

    def __str__(self):
        return self.name


class Gender(models.IntegerChoices):
    """The codes that clients send."""

    MALE = 1, "Male"
    FEMALE = 2, "Female"
    TRANSGENDER = 3, "Transgender"


class State(models.IntegerChoices):
    """India's states by the codes that clients send (spelled as they know them)."""

    OTHERS = 0, "Others"
    ANDAMAN_AND_NICOBAR_ISLANDS = 1, "Andaman and Nicobar Islands"
    ANDHRA_PRADESH = 2, "Andhra Pradesh"
    ARUNACHAL_PRADESH = 3, "Arunachal Pradesh"
    ASSAM = 4, "Assam"
    BIHAR = 5, "Bihar"
    CHANDIGARH = 6, "Chandigarh"
    CHHATTISGARH = 7, "Chhattisgarh"
    DADRA_AND_NAGAR_HAVELI = 8, "Dadra and Nagar Haveli"
    DAMAN_AND_DIU = 9, "Daman and Diu"
    DELHI = 10, "Delhi"
    GOA = 11, "Goa"
    GUJARAT = 12, "Gujarat"
    HARYANA = 13, "Haryana"
    HIMACHAL_PRADESH = 14, "Himachal Pradesh"
    JAMMU_AND_KASHMIR = 15, "Jammu and Kashmir"
    JHARKHAND = 16, "Jharkhand"
    KARNATAKA = 17, "Karnataka"
    KERALA = 18, "Kerala"
    LAKSHADWEEP = 19, "Lakshadweep"
    MADHYA_PRADESH = 20, "Madhya Pradesh"
    MAHARASHTRA = 21, "Maharashtra"
    MANIPUR = 22, "Manipur"
    MEGHALAYA = 23, "Meghalaya"
    MIZORAM = 24, "Mizoram"
    NAGALAND = 25, "Nagaland"
    ODISHA = 26, "Odisha"
    PUNJAB = 27, "Punjab"
    PONDICHERRY = 28, "Pondicherry"
    RAJASTHAN = 29, "Rajasthan"
    SIKKIM = 30, "Sikkim"
    TAMIL_NADU = 31, "Tamil Nadu"
    TRIPURA = 32, "Tripura"
    UTTAR_PRADESH = 33, "Uttar Pradesh"
    UTTARAKHAND = 34, "Uttarakhand"
    WEST_BENGAL = 35, "West Bengal"
    TELENGANA = 36, "Telengana"


class UserManager(DjangoUserManager):
    def get_by_natural_key(self, username):
        """The user of that name, whatever the case of its letters: every way of logging in looks here."""
        # The same expression as the unique constraint's, so that its index answers on every database.
        return self.alias(name=Upper("username")).get(name=Upper(models.Value(username)))


class User(AbstractUser):
    """A student or a member of staff. A username is one person's, whatever the case of its letters.

    `photo` names the stored original: upright, without metadata, otherwise as it was sent. The five sizes are cut from
    it (`accounts/photos.py`, their only writer), from the crop box in its pixels, or from its centre square.
    """

    batches = models.ManyToManyField(Batch, blank=True, related_name="users")
    phone = models.CharField(max_length=20, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    gender = models.PositiveSmallIntegerField(choices=Gender, null=True, blank=True)
    address1 = models.CharField("address, first line", max_length=255, blank=True)
    address2 = models.CharField("address, second line", max_length=255, blank=True)
    city = models.CharField(max_length=100, blank=True)
    zip = models.CharField("PIN code", max_length=12, blank=True)
    state = models.PositiveSmallIntegerField(choices=State, null=True, blank=True)

    photo = models.FileField(blank=True, editable=False)
    large_image = models.FileField("256 × 256", blank=True, editable=False)
    medium_image = models.FileField("128 × 128", blank=True, editable=False)
    small_image = models.FileField("48 × 48", blank=True, editable=False)
    x_small_image = models.FileField("32 × 32", blank=True, editable=False)
    mini_image = models.FileField("24 × 24", blank=True, editable=False)
    x_offset = models.PositiveIntegerField(null=True, blank=True, editable=False)
    y_offset = models.PositiveIntegerField(null=True, blank=True, editable=False)
    crop_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    crop_height = models.PositiveIntegerField(null=True, blank=True, editable=False)

    objects = UserManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Upper("username"),
                name="username_unique_in_any_case",
                violation_error_message="A user with that username already exists.",
            )
        ]

    @property
    def display_name(self):
        """First and last name, or the username where there is neither."""
        return self.get_full_name() or self.username


class LoginFailure(models.Model):
    """One wrong log-in, kept for an hour: what the waiting times of `accounts/throttling.py` are counted from.

    The username is kept as a digest: people type passwords into that field.
    """

    pair = models.CharField(max_length=64)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["pair", "at"], name="login_failure_by_pair"),
            models.Index(fields=["address", "at"], name="login_failure_by_address"),
            models.Index(fields=["at"], name="login_failure_by_age"),
        ]

    def __str__(self):
        return f"{self.address} at {self.at}"


class ApiCredentialQuerySet(models.QuerySet):
    def live(self):
        """Those that open something: not revoked, of an active member of staff or superuser."""
        staff = models.Q(user__is_staff=True) | models.Q(user__is_superuser=True)
        return self.filter(staff, revoked=None, user__is_active=True)


class ApiCredential(models.Model):
    """What another system signs its requests with, in the name of a member of staff: a public key and a secret.

    `accounts/credentials.py` makes them; it alone reads and writes the secret, which is encrypted.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_credentials")
    name = models.CharField(max_length=100, blank=True, help_text="Which system uses it.")
    key = models.CharField(max_length=64, unique=True, editable=False)
    encrypted_secret = models.TextField(editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    revoked = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiCredentialQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = "API credential"
        verbose_name_plural = "API credentials"

    def __str__(self):
        return self.name or self.key


class Nonce(models.Model):
    """A number that a credential has signed with: good once until it expires, 24 hours after its request's timestamp.

    The unique constraint decides between requests that carry it at the same instant.
    """

    credential = models.ForeignKey(ApiCredential, on_delete=models.CASCADE, related_name="nonces", db_index=False)
    text = models.CharField(max_length=64)
    expires = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential", "text"], name="nonce_used_once")]
        indexes = [models.Index(fields=["expires"], name="nonce_by_expiry")]

    def __str__(self):
        return self.text
