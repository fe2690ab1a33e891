"""The staff's pages of products."""

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.utils.html import format_html

from catalog import pictures
from catalog.models import Category, Note, Product, ProductImage


class ProductForm(forms.ModelForm):
    types = forms.MultipleChoiceField(
        choices=Product.Type.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=Product._meta.get_field("types").help_text,
    )


class PictureForm(forms.ModelForm):
    """Takes the picture while the form is checked: a bad one is an error of the form, and a good one is cut once."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # It is stored under another name, so that the length of this one does not matter.
        self.fields["original"].max_length = None

    def clean_original(self):
        file = self.cleaned_data["original"]
        return pictures.take(file) if isinstance(file, UploadedFile) else file


class NoteForm(forms.ModelForm):
    def clean_slug(self):
        # None is no duplicate: several notes may leave theirs to be derived.
        return self.cleaned_data["slug"] or None


class PictureInline(admin.TabularInline):
    model = ProductImage
    form = PictureForm
    fields = ["order", "original", "preview"]
    readonly_fields = ["preview"]
    verbose_name = "picture"
    extra = 0

    @admin.display(description="")
    def preview(self, picture):
        return format_html('<img src="{}" alt="" width="100" height="83">', picture.small.url) if picture.small else ""


class NoteInline(admin.StackedInline):
    model = Note
    form = NoteForm
    prepopulated_fields = {"slug": ["title"]}
    extra = 0


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "product_count"]
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(product_count=Count("products"))

    @admin.display(description="products", ordering="product_count")
    def product_count(self, category):
        return category.product_count


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    inlines = [PictureInline, NoteInline]
    list_display = ["title", "price", "start_date", "end_date", "active", "exam_count", "note_count"]
    list_filter = ["active", "requires_shipping", "categories", "start_date", "end_date"]
    search_fields = ["title", "slug", "description"]
    prepopulated_fields = {"slug": ["title"]}
    filter_horizontal = ["categories", "exams"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "description", "categories", "types"]}),
        ("On sale", {"fields": ["active", "start_date", "end_date", "price", "requires_shipping"]}),
        ("Exams in it", {"fields": ["exams"]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).with_counts()

    @admin.display(description="published exams", ordering="exams_count")
    def exam_count(self, product):
        return product.exams_count

    @admin.display(description="notes", ordering="notes_count")
    def note_count(self, product):
        return product.notes_count
