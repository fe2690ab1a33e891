"""Query parameters that several apps' lists share."""

from django_filters import rest_framework as filters

LONGEST = 255  # no name or title is longer, and SQLite fails on patterns beyond 50,000 characters


class TextFilter(filters.CharFilter):
    """A text that a column equals or contains; one longer than any column's finds nothing."""

    def filter(self, qs, value):
        return qs.none() if len(value) > LONGEST else super().filter(qs, value)


class FilterBackend(filters.DjangoFilterBackend):
    """django-filter's, which makes a form for each request, also for the many that ask for no filter."""

    def filter_queryset(self, request, queryset, view):
        names = getattr(getattr(view, "filterset_class", None), "base_filters", ())
        if not any(name in request.query_params for name in names):
            return queryset
        return super().filter_queryset(request, queryset, view)
