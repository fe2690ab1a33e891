"""What `GET products/` can be asked for."""

from django_filters import rest_framework as filters

from catalog.models import Category, Product


class ProductFilter(filters.FilterSet):
    category = filters.CharFilter(method="in_category", help_text="A category's whole name, such as IBPS.")

    class Meta:
        model = Product
        fields = []

    def in_category(self, queryset, name, value):
        if len(value) > Category._meta.get_field("name").max_length:
            return queryset.none()  # nobody has it, and SQLite fails on patterns beyond 50,000 characters
        return queryset.filter(categories__name__iexact=value)
