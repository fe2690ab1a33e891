"""How the API shows posts."""

from rest_framework import serializers

from accounts.models import Institute
from accounts.serializers import PublicUserSerializer
from posts.models import Category, Post
from testpress.fields import ApiUrlField, SecondField


class PostCategorySerializer(serializers.ModelSerializer):
    class Meta:
        model = Category
        fields = ["id", "name", "color", "slug"]
        read_only_fields = fields


class PostSerializer(serializers.ModelSerializer):
    """A post in a list: all but its content."""

    # Posts come from `Post.objects.for_answers()`.

    url = ApiUrlField("posts/{slug}/")
    created_by = PublicUserSerializer(read_only=True)
    category = PostCategorySerializer(read_only=True)
    created = SecondField()
    modified = SecondField()
    institute = serializers.SerializerMethodField()

    class Meta:
        model = Post
        fields = [
            "url",
            "created_by",
            "category",
            "created",
            "modified",
            "id",
            "active",
            "title",
            "summary",
            "institute",
        ]
        read_only_fields = fields

    def get_institute(self, post) -> int:
        return Institute.ID


class PostPageSerializer(PostSerializer):
    """A post on its own page."""

    class Meta(PostSerializer.Meta):
        fields = [
            "url",
            "created_by",
            "category",
            "created",
            "modified",
            "id",
            "active",
            "title",
            "summary",
            "content_html",
            "institute",
        ]
        read_only_fields = fields
