"""The envelope of every list."""

import re

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet, Window
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from testpress.rows import Listing

PAGE_NUMBER = re.compile(r"[0-9]{1,9}\Z")


class EnvelopePagination(PageNumberPagination):
    """`{"count", "next", "previous", "per_page", "results"}`, 20 a page, `?page=N`."""

    last_page_strings = ()
    invalid_page_message = "Invalid page."

    def paginate_queryset(self, queryset, request, view=None):
        """The page's rows, and with them the number of all rows: one statement where DRF makes two."""
        if not isinstance(queryset, QuerySet | Listing):
            return super().paginate_queryset(queryset, request, view)
        size, text = self.get_page_size(request), request.query_params.get(self.page_query_param) or "1"
        if not PAGE_NUMBER.match(text) or not (number := int(text)):
            raise NotFound(self.invalid_page_message)
        rows, rows_in_all = _part(queryset, (number - 1) * size, number * size)
        if not rows and number > 1:
            raise NotFound(self.invalid_page_message)
        self.request = request
        paginator = Paginator(rows, size)
        paginator.count = rows_in_all
        self.page = Page(rows, number, paginator)
        return rows

    def get_paginated_response(self, data):
        return Response(
            {
                "count": self.page.paginator.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "per_page": self.page.paginator.per_page,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema):
        envelope = super().get_paginated_response_schema(schema)
        envelope["properties"]["per_page"] = {"type": "integer", "example": 20}
        envelope["required"] = ["count", "next", "previous", "per_page", "results"]
        return envelope


def _part(source, start, stop):
    """The rows from `start` to before `stop`, and how many there are in all (0 where the part is empty)."""
    if isinstance(source, Listing):
        return source.part(start, stop)
    rows = list(source.annotate(rows_in_all=Window(Count("*")))[start:stop])
    return rows, rows[0].rows_in_all if rows else 0
