"""The staff's pages of posts."""

from django.contrib import admin
from django.db.models import Count

from posts.models import Category, Post


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "color", "post_count"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(post_count=Count("posts"))

    @admin.display(description="posts", ordering="post_count")
    def post_count(self, category):
        return category.post_count


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ["title", "category", "created", "created_by", "active", "public"]
    list_filter = ["active", "public", "category", "batches", "created"]
    list_select_related = ["category", "created_by"]
    search_fields = ["title", "slug", "summary"]
    date_hierarchy = "created"
    prepopulated_fields = {"slug": ["title"]}
    filter_horizontal = ["batches"]
    readonly_fields = ["created_by", "created", "modified"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "category", "summary", "content_html"]}),
        ("Who reads it", {"fields": ["active", "public", "batches"]}),
        ("History", {"fields": ["created_by", "created", "modified"]}),
    ]

    def save_model(self, request, obj, form, change):
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
