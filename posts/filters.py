"""What `GET posts/` can be asked for."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.db.models.functions import Lower
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from posts.models import Category, Post
from posts.moments import read_moment

ORDERS = {"created": F("created"), "modified": F("modified"), "title": Lower("title"), "id": F("id")}


class MomentFormField(forms.CharField):
    default_error_messages = {"invalid": "Enter a date or a timestamp as in ISO 8601, such as 2015-10-07T06:00:07Z."}

    def to_python(self, value):
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        try:
            return read_moment(text)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


@extend_schema_field(
    {
        "type": "string",  # `date-time` would forbid the other forms that are taken
        "example": "2015-10-07T06:00:07Z",
        "description": "A date, which means its midnight at the institute, or a timestamp, in any form of ISO 8601. "
        "`gt` lists what was created after it, `lt` what was created before.",
    }
)
class MomentFilter(filters.Filter):
    field_class = MomentFormField


class PostFilter(filters.FilterSet):
    gt = MomentFilter("created", "gt")
    lt = MomentFilter("created", "lt")
    order = filters.ChoiceFilter(
        choices=[choice for name in ORDERS for choice in ((name, "ascending"), (f"-{name}", "descending"))],
        method="in_order",
        help_text="What to sort by; `-created` unless given.",
    )
    category = filters.CharFilter(method="in_category", help_text="A category's slug or name.")

    class Meta:
        model = Post
        fields = []

    def in_order(self, queryset, name, value):
        """Ties are broken by the id in the same direction, so that pages never repeat or skip a post."""
        keys = (ORDERS[value.removeprefix("-")], F("id"))
        return queryset.order_by(*(key.desc() if value.startswith("-") else key.asc() for key in keys))

    def in_category(self, queryset, name, value):
        if len(value) > Category._meta.get_field("name").max_length:
            return queryset.none()  # nobody has it, and SQLite fails on patterns beyond 50,000 characters
        return queryset.filter(Q(category__slug=value) | Q(category__name__iexact=value))
