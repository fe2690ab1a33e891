"""What is sold: products, which bundle exams and notes."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, F, Q
from django.db.models.functions import Upper

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
        """Active, and `now` within the product's dates, either of which may be open."""
        begun = Q(start_date=None) | Q(start_date__lte=now)
        not_over = Q(end_date=None) | Q(end_date__gt=now)
        return self.filter(begun & not_over, active=True)

    def with_counts(self):
        """Each product with `exams_count` and `notes_count`."""
        return self.annotate(exams_count=Count("exams", distinct=True), notes_count=Count("notes", distinct=True))


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
    types = models.JSONField(default=list, blank=True, help_text="Kinds of goods in the package.")
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


class ProductImage(models.Model):
    """A picture of a product; the two sizes are cut when it is saved."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    order = models.PositiveIntegerField(default=0)
    original = models.FileField()
    medium = models.FileField("300 × 250", editable=False)
    small = models.FileField("100 × 83", editable=False)

    class Meta:
        ordering = ["order", "id"]

    def __str__(self):
        return f"Picture {self.pk}"


class Note(SluggedModel):
    """A document that belongs to a product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="notes")
    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True, blank=True, validators=[slug_format])
    description = HTMLField(blank=True)
    attachment = models.FileField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(slug=""), name="note_slug_not_empty")]

    def __str__(self):
        return self.title
