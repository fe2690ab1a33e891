"""What is announced: posts, for everybody or for some batches."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import Batch
from testpress.html import HTMLField
from testpress.slugs import SluggedModel, slug_format


class Category(SluggedModel):
    """What posts are grouped under, with the colour clients paint it in."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True, blank=True, validators=[slug_format])
    color = models.CharField(
        "colour",
        max_length=6,
        default="33CC33",
        validators=[RegexValidator(r"\A[0-9A-Fa-f]{6}\Z", "Six hexadecimal digits, such as 33CC33.")],
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(Upper("name"), name="post_category_name_unique_in_any_case"),
            models.CheckConstraint(condition=~Q(slug=""), name="post_category_slug_not_empty"),
        ]

    def __str__(self):
        return self.name


class WholeSecondField(models.DateTimeField):
    """A moment, cut to whole seconds by every way of saving a row.

    The API shows whole seconds and compares strictly: a client that asks for what came after the newest post it knows
    must not get that post again for the sake of a fraction it never saw.
    """

    def pre_save(self, model_instance, add):
        moment = super().pre_save(model_instance, add)
        if moment is not None:
            moment = moment.replace(microsecond=0)
            setattr(model_instance, self.attname, moment)
        return moment


class PostQuerySet(models.QuerySet):
    def active(self):
        return self.filter(active=True)

    def visible_to(self, user):
        """The active posts that are public, list no batch, or share a batch with `user`."""
        return self.active().filter(self.model.open_to(user))

    def with_openness_to(self, user):
        """Each post with `is_open`: whether its batches let `user` read it."""
        return self.annotate(is_open=self.model.open_to(user))

    def for_answers(self):
        """With what the API shows of a post's author and category."""
        return self.select_related("category", "created_by")


class Post(SluggedModel):
    """An announcement."""

    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=255, unique=True, blank=True, validators=[slug_format])
    summary = models.TextField(blank=True)
    content_html = HTMLField(blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="posts")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="posts")
    created = WholeSecondField(default=timezone.now, editable=False)
    modified = WholeSecondField(auto_now=True)
    active = models.BooleanField(default=True)
    public = models.BooleanField(default=False, help_text="For everybody, whatever batches are listed.")
    batches = models.ManyToManyField(
        Batch, blank=True, related_name="posts", help_text="None: for the whole institute."
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [models.CheckConstraint(condition=~Q(slug=""), name="post_slug_not_empty")]
        indexes = [models.Index(fields=["-created", "-id"], name="post_newest")]

    def __str__(self):
        return self.title

    @staticmethod
    def open_to(user):
        """Whether the outer post is public, lists no batch, or shares one with `user`, as a condition of a query."""
        batches = Post.batches.through.objects.filter(post=OuterRef("pk"))
        return Q(public=True) | ~Exists(batches) | Exists(batches.filter(batch__users=user))
