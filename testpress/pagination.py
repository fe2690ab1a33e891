"""The envelope of every list."""

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class EnvelopePagination(PageNumberPagination):
    """`{"count", "next", "previous", "per_page", "results"}`, 20 a page, `?page=N`."""

    last_page_strings = ()
    invalid_page_message = "Invalid page."

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
