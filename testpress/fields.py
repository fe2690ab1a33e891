"""How the API writes times, durations and addresses (the contract's formats), and strict serializer fields."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

API_ROOT = "/api/v2.1/"


def api_url(request, path: str) -> str:
    """The absolute URL of `path` below the API's root, as the client addressed this server; it ends with a slash."""
    try:
        root = request.api_root
    except AttributeError:
        root = request.api_root = request.build_absolute_uri(API_ROOT)
    return root + path


def utc_milliseconds(moment: datetime) -> str:
    """`2015-07-14T05:16:12.086Z`: UTC with always three digits, cut off, not rounded."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def utc_seconds(moment: datetime) -> str:
    """`2015-10-07T06:00:07Z`: UTC in whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def utc_shortest(moment: datetime) -> str:
    """UTC with three digits where there is a fraction of a second, and none where there is not."""
    return utc_milliseconds(moment) if moment.microsecond else utc_seconds(moment)


def institute_time(moment: datetime) -> str:
    """`2013-08-02T17:25:22+05:30`: with the institute's own offset; a fraction shows as three digits."""
    return moment.astimezone(timezone.get_current_timezone()).isoformat(
        timespec="milliseconds" if moment.microsecond else "seconds"
    )


def institute_milliseconds(moment: datetime) -> str:
    """`2019-01-22T16:07:23.246+01:00`: with the institute's own offset and always three digits, cut off."""
    return moment.astimezone(timezone.get_current_timezone()).isoformat(timespec="milliseconds")


def clock(duration: timedelta) -> str:
    """`26:00:00`: H:MM:SS in whole seconds, rounded down; hours do not roll over into days."""
    minutes, seconds = divmod(duration // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


class _WrittenField(serializers.ReadOnlyField):
    """A read-only field that is written by `write`."""

    write = None

    def to_representation(self, value):
        return type(self).write(value)


@extend_schema_field(OpenApiTypes.DATETIME)
class MillisecondField(_WrittenField):
    write = staticmethod(utc_milliseconds)


@extend_schema_field(OpenApiTypes.DATETIME)
class SecondField(_WrittenField):
    write = staticmethod(utc_seconds)


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(_WrittenField):
    write = staticmethod(utc_shortest)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstituteTimeField(_WrittenField):
    write = staticmethod(institute_time)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstituteMillisecondField(_WrittenField):
    write = staticmethod(institute_milliseconds)


@extend_schema_field({"type": "string", "pattern": r"^\d+:[0-5]\d:[0-5]\d$", "example": "0:30:30"})
class ClockField(_WrittenField):
    write = staticmethod(clock)


class ApiUrlField(serializers.Field):
    """The object's own address: `path` with the object's attributes filled in, as in `exams/{slug}/attempts/`."""

    def __init__(self, path, **kwargs):
        self.path = path
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, instance):
        return api_url(self.context["request"], self.path.format_map(_Attributes(instance)))


extend_schema_field(OpenApiTypes.URI)(ApiUrlField)


class _Attributes:
    """An object's attributes as a mapping, for `str.format_map`."""

    def __init__(self, instance):
        self.instance = instance

    def __getitem__(self, name):
        return getattr(self.instance, name)


@extend_schema_field({"type": "string", "format": "uri-reference", "description": "Absolute; empty without a file."})
class FileUrlField(serializers.ReadOnlyField):
    """A stored file's absolute URL, `""` where there is none."""

    def to_representation(self, value):
        return self.context["request"].build_absolute_uri(value.url) if value else ""

    def get_attribute(self, instance):
        # An empty FieldFile must reach to_representation, which DRF would skip for None only.
        return super().get_attribute(instance) or ""


class StrictCharField(serializers.CharField):
    """Text that must arrive as text: a JSON number is a wrong type, not a spelling of it."""

    default_error_messages = {"invalid": "Not a valid string."}

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
