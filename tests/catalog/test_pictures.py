import re
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from PIL import Image

from catalog import pictures
from catalog.models import ProductImage
from tests.catalog.conftest import make_image, make_picture, make_product


def opened(file):
    with file.open("rb"):
        return Image.open(BytesIO(file.read()))


@pytest.mark.parametrize("size", [(400, 300), (1, 1), (3000, 20), (20, 3000), (300, 250)])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_sizes_are_exact(db, format, size):
    picture = make_picture(make_product(), make_image(*size, format=format))

    assert [opened(file).size for file in (picture.original, picture.medium, picture.small)] == [
        size,
        (300, 250),
        (100, 83),
    ]


def test_names_cannot_be_guessed(db, stored):
    picture = make_picture(make_product())

    names = [picture.original.name, picture.medium.name, picture.small.name]
    assert all(re.fullmatch(r"i/[0-9a-f]{32}\.jpeg", name) for name in names)
    assert sorted(names) == stored()


def test_an_animation_gives_its_first_frame(db):
    frames = [Image.new("RGB", (400, 300), color) for color in ("blue", "red")]
    file = BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])

    picture = make_picture(make_product(), file.getvalue())

    red, _, blue = opened(picture.medium).getpixel((150, 125))
    assert (red < 10, blue > 245) == (True, True)


def test_transparency_stays(db):
    picture = make_picture(make_product(), make_image(format="PNG", mode="RGBA", color=(255, 0, 0, 0)))

    assert picture.original.name.endswith(".png")
    assert opened(picture.medium).getpixel((0, 0))[3] == 0


def test_the_middle_is_kept(db):
    image = Image.new("RGB", (900, 250), "white")
    image.paste("red", (300, 0, 600, 250))
    file = BytesIO()
    image.save(file, "PNG")

    picture = make_picture(make_product(), file.getvalue())

    for place in ((5, 5), (150, 125), (294, 244)):
        red, green, _ = opened(picture.medium).getpixel(place)
        assert (red > 240, green < 15) == (True, True)


def test_metadata_goes_and_the_orientation_stays(db):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Secret camera"
    picture = make_picture(make_product(), make_image(400, 300, exif=exif))

    assert opened(picture.original).size == (300, 400)
    with picture.original.open("rb") as file:
        assert b"Secret" not in file.read()


def test_a_picture_is_cut_again_only_when_it_is_new(db, stored):
    picture = make_picture(make_product())
    before = stored()

    picture.order = 7
    picture.save()
    ProductImage.objects.get().save()

    assert stored() == before


def test_saving_the_original_alone_saves_its_sizes_too(db, stored, committing):
    picture = make_picture(make_product())
    with committing():
        picture.original = ContentFile(make_image(format="PNG", mode="RGBA", color=(0, 0, 0, 0)), name="new.png")
        picture.save(update_fields=["original"])

    picture.refresh_from_db()
    assert sorted([picture.original.name, picture.medium.name, picture.small.name]) == stored()


def test_what_is_taken_is_not_taken_twice():
    picture = pictures.take(ContentFile(make_image()))

    assert pictures.take(picture) is picture


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        make_image(format="BMP"),
        make_image(format="TIFF"),
        make_image()[:200],
        make_image(format="PNG")[:80],
    ],
    ids=["empty", "text", "svg", "bmp", "tiff", "cut-jpeg", "cut-png"],
)
def test_what_is_no_image_is_refused(db, stored, content):
    product = make_product()

    with pytest.raises(ValidationError):
        ProductImage.objects.create(product=product, original=ContentFile(content, name="a.jpg"))

    assert (ProductImage.objects.count(), stored()) == (0, [])


def test_a_file_beyond_the_limit_is_refused(settings):
    settings.PHOTO_LIMIT = 500

    with pytest.raises(ValidationError, match="larger than"):
        pictures.take(ContentFile(make_image()))


def test_an_image_of_too_many_pixels_is_refused():
    with pytest.raises(ValidationError, match="more than 25 million pixels"):
        pictures.take(ContentFile(make_image(5001, 5000, format="PNG", mode="1", color=0)))
