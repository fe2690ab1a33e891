"""What `GET products/` can be asked for."""

from django_filters import rest_framework as filters

from catalog.models import Product
from testpress.filters import TextFilter


class ProductFilter(filters.FilterSet):
    category = TextFilter("categories__name", "iexact", help_text="A category's whole name, such as IBPS.")

    class Meta:
        model = Product
        fields = []
