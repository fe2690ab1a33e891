"""Which media type an answer has."""

from rest_framework.negotiation import DefaultContentNegotiation

ANY = {"*/*", "application/json"}


class JSONNegotiation(DefaultContentNegotiation):
    """DRF's, with the answer known beforehand for clients that take anything or ask for JSON: nearly all."""

    def select_renderer(self, request, renderers, format_suffix=None):
        if len(renderers) == 1 and request.META.get("HTTP_ACCEPT", "*/*") in ANY:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
