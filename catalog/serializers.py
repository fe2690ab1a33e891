"""How the API shows products."""

from rest_framework import serializers

from catalog.models import Note, Product, ProductImage
from exams.serializers import ExamSerializer
from testpress.fields import ApiUrlField, FileUrlField, InstituteTimeField


class ProductImageSerializer(serializers.ModelSerializer):
    original = FileUrlField()
    medium = FileUrlField()
    small = FileUrlField()

    class Meta:
        model = ProductImage
        fields = ["original", "medium", "small"]
        read_only_fields = fields


class NoteSerializer(serializers.ModelSerializer):
    """A document of a product. A note has no page of its own: `url` is its product's."""

    url = ApiUrlField("products/{product.slug}/")
    attachment = FileUrlField()

    class Meta:
        model = Note
        fields = ["id", "url", "title", "slug", "description", "attachment"]
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer):
    """A product in a list."""

    # Products come from `Product.objects.for_lists()`, and from `for_pages()` for the page.

    url = ApiUrlField("products/{slug}/")
    image = FileUrlField()
    images = ProductImageSerializer(many=True, read_only=True)
    start_date = InstituteTimeField(allow_null=True)
    end_date = InstituteTimeField(allow_null=True)
    categories = serializers.SlugRelatedField("name", many=True, read_only=True)
    types = serializers.ListField(child=serializers.ChoiceField(Product.Type.choices), read_only=True)
    exams_count = serializers.IntegerField(read_only=True)
    notes_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Product
        fields = [
            "id",
            "url",
            "title",
            "slug",
            "image",
            "images",
            "start_date",
            "end_date",
            "categories",
            "types",
            "exams_count",
            "notes_count",
            "price",
        ]
        read_only_fields = fields


class ProductPageSerializer(ProductSerializer):
    """A product on its own page."""

    exams = ExamSerializer(many=True, read_only=True)
    notes = NoteSerializer(many=True, read_only=True)

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "description", "exams", "notes", "requires_shipping"]
        read_only_fields = fields
