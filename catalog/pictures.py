"""A product's pictures: what is taken as one, and how its two sizes are cut."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from PIL import Image, ImageOps
from rest_framework import exceptions

from accounts import photos

SIZES = {"medium": (300, 250), "small": (100, 83)}  # width and height in pixels


class Picture(ContentFile):
    """An original that was taken: upright, without metadata. `sizes` holds the files that were cut from it."""

    sizes: dict[str, ContentFile]


def take(file: File) -> Picture:
    """The uploaded `file` as a picture with its sizes; what was taken already is given back as it is.

    Each size is filled: what sticks out of its shape is cut off on both sides alike.

    :raises ValidationError: it is no JPEG, PNG, WebP or GIF image, is broken, or beyond the limits of a photo.
    """
    if isinstance(file, Picture):
        return file
    file.seek(0)
    content = file.read(settings.PHOTO_LIMIT + 1)
    try:
        photos.check(content)
        with photos.one_at_a_time:
            image = photos.decoded(content)
            picture = _file(image, Picture, quality=95)
            picture.sizes = {
                size: _file(ImageOps.fit(image, shape, Image.Resampling.LANCZOS), ContentFile, quality=90)
                for size, shape in SIZES.items()
            }
    except exceptions.ValidationError as error:
        raise ValidationError([str(words) for words in error.detail["photo"]]) from None
    return picture


def _file(image, kind, *, quality):
    content, extension = photos.encoded(image, quality=quality)
    return kind(content, name=f"picture.{extension}")
