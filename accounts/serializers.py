"""Users as the API tells them: to themselves, to others, and where they change their profile."""

import base64
import binascii
import re

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.utils import timezone
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils import html

from accounts import photos, throttling
from accounts.models import Gender, State, User
from testpress.fields import ApiUrlField, FileUrlField, StrictCharField

# --- Logging in ------------------------------------------------------------------------------------------------------


class CredentialsSerializer(serializers.Serializer):
    """A username and its password."""

    username = StrictCharField(max_length=150)
    # Longer ones are refused before anything is hashed.
    password = StrictCharField(max_length=4096, trim_whitespace=False)

    def validate(self, credentials):
        """Puts the `user` they belong to in their place.

        Nobody learns here whether a username exists, or is inactive: the answer and its time are the same.

        :raises Throttled: `throttling.guard` says when.
        """
        request = self.context["request"]
        username = User.normalize_username(credentials["username"])
        user = throttling.guard(
            request, username, lambda: authenticate(request, username=username, password=credentials["password"])
        )
        if user is None:
            raise serializers.ValidationError("Unable to log in with these credentials.")
        return {"user": user}


class TokenSerializer(serializers.Serializer):
    """What a log-in gives."""

    token = serializers.CharField()


# --- Reading ---------------------------------------------------------------------------------------------------------

PUBLIC_FIELDS = [
    "id",
    "url",
    "username",
    "display_name",
    "first_name",
    "last_name",
    "photo",
    "large_image",
    "medium_image",
    "small_image",
    "x_small_image",
    "mini_image",
]


class _ImagesSerializer(serializers.ModelSerializer):
    photo = FileUrlField()
    large_image = FileUrlField()
    medium_image = FileUrlField()
    small_image = FileUrlField()
    x_small_image = FileUrlField()
    mini_image = FileUrlField()


class PublicUserSerializer(_ImagesSerializer):
    """What everybody may know of a user."""

    url = ApiUrlField("users/{pk}/")
    display_name = serializers.CharField(read_only=True)

    class Meta:
        model = User
        fields = PUBLIC_FIELDS
        read_only_fields = PUBLIC_FIELDS


class MeSerializer(_ImagesSerializer):
    """What users read of themselves."""

    batches = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    url = ApiUrlField("users/{pk}/")
    display_name = serializers.CharField(read_only=True)
    gender = serializers.CharField(source="get_gender_display", read_only=True, allow_null=True)
    state = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = [
            "id",
            "batches",
            "url",
            "username",
            "display_name",
            "first_name",
            "last_name",
            "email",
            "photo",
            "large_image",
            "medium_image",
            "small_image",
            "x_small_image",
            "mini_image",
            "birth_date",
            "gender",
            "address1",
            "address2",
            "city",
            "zip",
            "state",
            "phone",
        ]
        read_only_fields = fields

    def get_state(self, user) -> str:
        return user.get_state_display() or ""


class AnyUserSerializer(serializers.Serializer):
    """Another user, or oneself, for the schema."""


class AnyUserExtension(OpenApiSerializerExtension):
    """`anyOf`: drf-spectacular's own way writes `oneOf`, and oneself has all that another user has, too."""

    target_class = AnyUserSerializer

    def map_serializer(self, auto_schema, direction):
        serializers_ = (PublicUserSerializer, MeSerializer)
        return {"anyOf": [auto_schema.resolve_serializer(each, direction).ref for each in serializers_]}


# --- The profile -----------------------------------------------------------------------------------------------------


class _Clearable:
    """A field that `""` and null empty."""

    def __init__(self, **kwargs):
        super().__init__(required=False, allow_null=True, **kwargs)

    def validate_empty_values(self, data):
        return super().validate_empty_values(None if data == "" else data)


class _ProfileCharField(StrictCharField):
    """Text that `""` and null empty."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs | {"required": False, "allow_null": True, "allow_blank": True})

    def validate_empty_values(self, data):
        return (True, "") if data is None else super().validate_empty_values(data)


class _ProfileEmailField(_ProfileCharField, serializers.EmailField):
    default_error_messages = {"invalid": "Enter a valid email address."}


class _WholeNumberField(_Clearable, serializers.IntegerField):
    """A whole number that must arrive as a number; as digits only in form data, which has no numbers."""

    def to_internal_value(self, data):
        if isinstance(data, str):
            if not html.is_html_input(self.root.initial_data):
                self.fail("invalid")
        elif isinstance(data, bool) or not isinstance(data, int | float) or data != data // 1:
            self.fail("invalid")
        return super().to_internal_value(data)


class _CodeField(_WholeNumberField):
    """One of an enumeration's codes."""

    default_error_messages = {"invalid_choice": '"{input}" is not a valid choice.'}

    def __init__(self, choices, **kwargs):
        self.choices = choices
        super().__init__(**kwargs)

    def to_internal_value(self, data):
        code = super().to_internal_value(data)
        if code not in self.choices.values:
            self.fail("invalid_choice", input=code)
        return code


def _code_schema(choices):
    return {
        "type": "integer",
        "nullable": True,
        "enum": [*choices.values, None],
        "description": ", ".join(f"{code} {label}" for code, label in choices.choices),
    }


@extend_schema_field(_code_schema(Gender))
class GenderField(_CodeField):
    def __init__(self, **kwargs):
        super().__init__(Gender, **kwargs)


@extend_schema_field(_code_schema(State))
class StateField(_CodeField):
    def __init__(self, **kwargs):
        super().__init__(State, **kwargs)


class _BirthDateField(_Clearable, serializers.DateField):
    """An ISO date from 1900 to the institute's today."""

    default_error_messages = {"range": "This must lie between 1900 and today."}

    def __init__(self, **kwargs):
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_internal_value(self, data):
        date = super().to_internal_value(data)
        if date.year < 1900 or date > timezone.localdate():
            self.fail("range")
        return date


@extend_schema_field(
    {
        "type": "string",
        "description": "Sent: the file in multipart; elsewhere base64, with or without `data:…;base64,`. "
        '`""` or null removes the photo, its present URL changes nothing. Answered: the URL, or `""`.',
    }
)
class _PhotoField(_Clearable, serializers.Field):
    """Reads as the photo's URL. Writes as a file's bytes, None to remove the photo, or `photos.KEEP`."""

    default_error_messages = {
        "invalid": "This must be an image file, or one in base64.",
        "empty": "The file is empty.",
    }

    def get_attribute(self, user):
        return user.photo or ""

    def to_representation(self, photo):
        return self.context["request"].build_absolute_uri(photo.url) if photo else ""

    def to_internal_value(self, data):
        if isinstance(data, UploadedFile):
            content = data.read(settings.PHOTO_LIMIT + 1)
        elif not isinstance(data, str):
            self.fail("invalid")
        elif self._is_present_url(data):
            return photos.KEEP
        else:
            content = self._from_base64(data)
        if not content:
            self.fail("empty")
        try:
            photos.check(content)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(error.detail["photo"]) from None
        return content

    def _is_present_url(self, text):
        # The names are random and never used twice: the host, the scheme and what a storage signs need not be the same.
        path = text.strip().partition("?")[0]
        return any(path.endswith(f"/{name}") for name in photos.file_names(self.parent.instance).values())

    def _from_base64(self, text):
        text = "".join(re.sub(r"\A\s*data:[^,]{0,200},", "", text, flags=re.IGNORECASE).split())
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            self.fail("invalid")


def _crop_field(least):
    # An image of this width is one pixel high.
    return _WholeNumberField(min_value=least, max_value=settings.PHOTO_PIXELS)


class ProfileSerializer(_ImagesSerializer):
    """What users can change of themselves; what is left out keeps its value."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.CharField: _ProfileCharField,
        models.EmailField: _ProfileEmailField,
    }

    photo = _PhotoField()
    x_offset = _crop_field(0)
    y_offset = _crop_field(0)
    crop_height = _crop_field(1)
    crop_width = _crop_field(1)
    birth_date = _BirthDateField()
    gender = GenderField()
    state_choices = StateField(source="state")

    class Meta:
        model = User
        fields = [
            "first_name",
            "last_name",
            "email",
            "photo",
            "large_image",
            "medium_image",
            "small_image",
            "x_small_image",
            "mini_image",
            "x_offset",
            "y_offset",
            "crop_height",
            "crop_width",
            "birth_date",
            "gender",
            "address1",
            "address2",
            "city",
            "zip",
            "state_choices",
            "phone",
        ]

    def update(self, user, fields):
        photo = fields.pop("photo", photos.KEEP)
        crop = {column: fields.pop(column) for column in photos.CROP if column in fields}
        return photos.save_profile(user, fields, photo=photo, crop=crop)
