"""Slugs: the names of things in URLs."""

from django.core.validators import RegexValidator
from django.db.models import Model
from django.utils.text import slugify

slug_format = RegexValidator(r"\A[-a-zA-Z0-9_]+\Z", "A slug has only letters, digits, hyphens and underscores.")


def free_slug(model: type[Model], title: str, *, reserved=frozenset()) -> str:
    """A slug of `title` that no row of `model` has and that is not reserved; one that is taken gets a number.

    Two writers may be given the same slug at the same moment; the unique constraint then refuses the second.
    """
    room = model._meta.get_field("slug").max_length - 8
    stem = slugify(title)[:room].strip("-_") or model._meta.model_name
    taken = set(model._default_manager.filter(slug__startswith=stem).values_list("slug", flat=True)) | reserved
    slug, number = stem, 2
    while slug in taken:
        slug, number = f"{stem}-{number}", number + 1
    return slug


class SluggedModel(Model):
    """A model with a `slug` that is derived from its title when it is saved without one."""

    reserved_slugs = frozenset()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self.slug:
            self.slug = free_slug(type(self), str(self), reserved=self.reserved_slugs)
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "slug"}
        super().save(*args, **kwargs)

    def validate_constraints(self, exclude=None):
        # An empty slug breaks constraints, but a form may leave it to `save`.
        super().validate_constraints(exclude if self.slug else {*(exclude or ()), "slug"})
