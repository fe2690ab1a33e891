"""Query parameters that several apps' lists share."""

from django_filters import rest_framework as filters

LONGEST = 255  # no name or title is longer, and SQLite fails on patterns beyond 50,000 characters


class TextFilter(filters.CharFilter):
    """A text that a column equals or contains; one longer than any column's finds nothing."""

    def filter(self, qs, value):
        return qs.none() if len(value) > LONGEST else super().filter(qs, value)


def asks_for(filterset_class, request) -> bool:
    """Whether a request names any of the filters."""
    return any(name in request.query_params for name in filterset_class.base_filters)


class FilterBackend(filters.DjangoFilterBackend):
    """django-filter's, which makes a form for each request, also for the many that ask for no filter."""

    def filter_queryset(self, request, queryset, view):
        filterset_class = getattr(view, "filterset_class", None)
        if filterset_class is None or not asks_for(filterset_class, request):
            return queryset
        return super().filter_queryset(request, queryset, view)
