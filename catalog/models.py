"""What is sold: products, which bundle exams and notes."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce, Upper
from django.db.models.signals import post_delete
from django.utils import timezone

from catalog import pictures
from catalog.files import RowWithFiles, note_name, picture_name, remove_files_of
from exams.models import Exam
from testpress.html import HTMLField
from testpress.slugs import SluggedModel, slug_format


class Category(models.Model):
    """What products are grouped under, such as TNPSC."""

    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [models.UniqueConstraint(Upper("name"), name="product_category_name_unique_in_any_case")]

    def __str__(self):
        return self.name


class ProductQuerySet(models.QuerySet):
    def listed(self, *, now):
        """Active, and the institute's day at `now` from the start's to the end's, either of which may be open.

        Whole days: a product that ends on the 31st at midnight is still on sale on the 31st.
        """
        today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        begun = Q(start_date=None) | Q(start_date__lt=today + timedelta(days=1))
        not_over = Q(end_date=None) | Q(end_date__gte=today)
        return self.filter(begun & not_over, active=True)

    def with_counts(self):
        """Each product with `exams_count`, of the published ones, and `notes_count`."""
        places = Product.exams.through.objects.filter(product=OuterRef("pk"), exam__published=True)
        return self.annotate(
            exams_count=_count(places), notes_count=_count(Note.objects.filter(product=OuterRef("pk")))
        )

    def for_lists(self):
        """As the API lists products: with their counts, categories and pictures, the newest first."""
        return self.with_counts().prefetch_related("categories", "images").order_by("-id")

    def for_pages(self):
        """As the API shows one product: with its notes and its published exams too; drafts are nobody's business."""
        exams = Prefetch("exams", Exam.objects.published().for_lists())
        return self.for_lists().prefetch_related("notes", exams)


def _count(rows):
    """How many of `rows` belong to the outer product, as an expression."""
    counted = rows.order_by().values("product").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), 0)


def validate_types(types):
    if not isinstance(types, list) or any(kind not in Product.Type.values for kind in types):
        raise ValidationError(f"A list of these: {', '.join(Product.Type.values)}.")
    if len(set(types)) != len(types):
        raise ValidationError("Each type once.")


class Product(SluggedModel):
    """Something a student can buy."""

    class Type(models.TextChoices):
        EBOOKS = "E-books"
        EXAMS = "Exams"
        CLASSROOM = "Classroom Program"
        BOOKS = "Books"

    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True, blank=True, validators=[slug_format])
    description = HTMLField(blank=True)
    categories = models.ManyToManyField(Category, blank=True, related_name="products")
    types = models.JSONField(
        default=list, blank=True, validators=[validate_types], help_text="Kinds of goods in the package."
    )
    exams = models.ManyToManyField(Exam, blank=True, related_name="products")
    start_date = models.DateTimeField(null=True, blank=True, help_text="Empty: on sale already.")
    end_date = models.DateTimeField(null=True, blank=True, help_text="Empty: on sale without end.")
    price = models.DecimalField(
        "price in INR", max_digits=9, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )
    requires_shipping = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(
                condition=Q(start_date=None) | Q(end_date=None) | Q(end_date__gt=F("start_date")),
                name="product_ends_after_start",
                violation_error_message="The end must come after the start.",
            ),
            models.CheckConstraint(condition=~Q(slug=""), name="product_slug_not_empty"),
        ]

    def __str__(self):
        return self.title

    @property
    def image(self):
        """The first picture's original, None without pictures."""
        return next((picture.original for picture in self.images.all()), None)


class ProductImage(RowWithFiles):
    """A picture of a product.

    A new `original` is checked, rid of its metadata and cut to the two sizes when the row is saved.
    """

    file_fields = ("original", "medium", "small")

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    order = models.PositiveIntegerField(default=0)
    original = models.FileField(upload_to=picture_name)
    medium = models.FileField("300 × 250", upload_to=picture_name, editable=False)
    small = models.FileField("100 × 83", upload_to=picture_name, editable=False)

    class Meta:
        ordering = ["order", "id"]

    def __str__(self):
        return f"Picture {self.pk}"

    def save(self, *args, **kwargs):
        """:raises ValidationError: the new original is no picture that is taken."""
        if self.original and not self.original._committed:
            self.original = picture = pictures.take(self.original.file)
            for field, file in picture.sizes.items():
                setattr(self, field, file)
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], *self.file_fields}
        super().save(*args, **kwargs)


class Note(RowWithFiles, SluggedModel):
    """A document that belongs to a product."""

    file_fields = ("attachment",)

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="notes")
    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True, blank=True, validators=[slug_format])
    description = HTMLField(blank=True)
    attachment = models.FileField(upload_to=note_name, max_length=255, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(slug=""), name="note_slug_not_empty")]

    def __str__(self):
        return self.title


# The one way to hear of rows that a cascade or a queryset deletes.
post_delete.connect(remove_files_of, sender=ProductImage)
post_delete.connect(remove_files_of, sender=Note)
