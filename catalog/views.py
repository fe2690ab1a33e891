"""Products, as a student sees them in the shop window."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from catalog.filters import ProductFilter
from catalog.models import Product
from catalog.serializers import ProductPageSerializer, ProductSerializer
from testpress.openapi import errors
from testpress.views import LimitedBody


@extend_schema_view(
    get=extend_schema(
        summary="The products on sale",
        description="Those that are active and within their dates, the newest first.",
        responses={200: ProductSerializer(many=True), **errors(400, 401, 404)},
    )
)
class ProductListView(LimitedBody, ListAPIView):
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    queryset = Product.objects.for_lists()

    def get_queryset(self):
        return super().get_queryset().listed(now=timezone.now())


@extend_schema_view(
    get=extend_schema(
        summary="One product",
        description="With its description, exams and notes. One that is not on sale does not exist.",
        responses={200: ProductPageSerializer, **errors(401, 404)},
    )
)
class ProductView(LimitedBody, RetrieveAPIView):
    serializer_class = ProductPageSerializer
    lookup_field = "slug"
    queryset = Product.objects.for_pages()

    def get_queryset(self):
        return super().get_queryset().listed(now=timezone.now())
