"""The photo of PUT /api/v2.1/users/<id>/: what is taken, what is cut, which files there are."""

import base64
import re
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from PIL import Image, PngImagePlugin

from accounts import photos
from accounts.models import User
from tests.accounts.conftest import picture, stored, stored_files
from tests.conftest import Api

SIZES = {"large_image": 256, "medium_image": 128, "small_image": 48, "x_small_image": 32, "mini_image": 24}
NO_BOX = {"x_offset": None, "y_offset": None, "crop_width": None, "crop_height": None}
BOX = {"x_offset": 10, "y_offset": 20, "crop_width": 100, "crop_height": 100}
NO_IMAGE = ["This is not a JPEG, PNG, WebP or GIF image."]
BROKEN = ["The image is broken."]
RED, BLUE = (255, 0, 0), (0, 0, 255)


def b64(content):
    return base64.b64encode(content).decode()


def upload(content, name="me.jpg"):
    return SimpleUploadedFile(name, content)


def images(answer):
    """The images of an answer by column, as names on storage."""
    return {column: answer[column].removeprefix("http://localhost/media/") for column in photos.FILES}


def near(pixel, colour):
    """Whether two colours are the same but for what JPEG loses."""
    return all(abs(a - b) < 12 for a, b in zip(pixel[:3], colour, strict=True))


# --- Ways to send it ---


def sent_multipart(put, content):
    return put({"photo": upload(content)}, format="multipart")


def sent_base64(put, content):
    return put({"photo": b64(content)})


def sent_data_url(put, content):
    return put({"photo": "data:image/jpeg;base64," + b64(content)})


def sent_with_line_breaks(put, content):
    return put({"photo": base64.encodebytes(content).decode().replace("\n", "\r\n")})


def sent_data_url_with_line_breaks(put, content):
    return put({"photo": "data:image/jpeg;base64,\n" + base64.encodebytes(content).decode()})


def sent_without_padding(put, content):
    return put({"photo": b64(content).rstrip("=")})


def sent_base64_in_multipart(put, content):
    return put({"photo": b64(content)}, format="multipart")


@pytest.mark.parametrize(
    "send",
    [
        sent_multipart,
        sent_base64,
        sent_data_url,
        sent_with_line_breaks,
        sent_data_url_with_line_breaks,
        sent_without_padding,
        sent_base64_in_multipart,
    ],
)
def test_photo_sent(put, send):
    """A student should be allowed to send a photo in each of these forms; all sizes are exact."""
    answer = send(put, picture(size=(301, 200)))

    names = images(answer)
    assert all(re.fullmatch(r"i/[0-9a-f]{32}\.jpeg", name) for name in names.values())
    assert stored_files() == set(names.values())
    assert len(stored_files()) == 6
    assert stored(names["photo"]).size == (301, 200)
    assert {column: stored(names[column]).size for column in SIZES} == {c: (n, n) for c, n in SIZES.items()}
    assert all(stored(name).format == "JPEG" for name in names.values())
    assert {name: answer[name] for name in NO_BOX} == NO_BOX


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_photo_formats(put, format):
    """A photo of each format should be taken; without transparency it becomes JPEG."""
    names = images(put({"photo": b64(picture(format=format, colour="blue"))}))
    assert all(stored(name).format == "JPEG" and near(stored(name).getpixel((5, 5)), BLUE) for name in names.values())


@pytest.mark.parametrize(("format", "mode"), [("PNG", "RGBA"), ("WEBP", "RGBA"), ("PNG", "LA")])
def test_photo_transparent(put, format, mode):
    """A photo with transparency should become PNG and stay transparent."""
    colour = (255, 0, 0, 0) if mode == "RGBA" else (255, 0)
    names = images(put({"photo": b64(picture(mode=mode, colour=colour, format=format))}))
    assert all(name.endswith(".png") for name in names.values())
    assert all(stored(name).format == "PNG" for name in names.values())
    assert all(stored(name).getpixel((5, 5))[3] == 0 for name in names.values())


def test_photo_transparent_palette(put):
    """A GIF with a transparent colour should become PNG."""
    content = picture(mode="P", colour=0, halves=1, format="GIF", transparency=0)
    names = images(put({"photo": b64(content)}))
    assert stored(names["photo"]).getpixel((5, 5))[3] == 0
    assert stored(names["photo"]).getpixel((295, 5))[3] == 255


def test_photo_opaque_alpha(put):
    """A photo whose alpha channel hides nothing should become JPEG."""
    names = images(put({"photo": b64(picture(mode="RGBA", colour=(255, 0, 0, 255), format="PNG"))}))
    assert stored(names["large_image"]).format == "JPEG"


@pytest.mark.parametrize(
    ("mode", "colour", "format", "grey"),
    [
        ("L", 100, "PNG", 100),
        ("1", 1, "PNG", 255),
        ("I;16", 40000, "PNG", 156),
        ("I;16", 65535, "PNG", 255),
        ("CMYK", (0, 0, 0, 155), "JPEG", 100),
        ("P", 0, "PNG", 0),
        ("L", 100, "JPEG", 100),
    ],
)
def test_photo_modes(put, mode, colour, format, grey):
    """A photo in each colour mode should keep its brightness."""
    names = images(put({"photo": b64(picture(mode=mode, colour=colour, format=format))}))
    assert stored(names["large_image"]).mode == "RGB"
    assert near(stored(names["large_image"]).getpixel((9, 9)), (grey, grey, grey))


def test_photo_first_frame(put):
    """Of an animation the first frame should be taken."""
    file = BytesIO()
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    names = images(put({"photo": b64(file.getvalue())}))
    assert near(stored(names["large_image"]).getpixel((5, 5)), RED)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (24, 7), (3000, 2000)])
def test_photo_sizes(put, size):
    """The sizes should be exact for tiny, thin and large originals, too."""
    names = images(put({"photo": b64(picture(size=size))}))
    assert stored(names["photo"]).size == size
    assert {column: stored(names[column]).size for column in SIZES} == {c: (n, n) for c, n in SIZES.items()}


# --- What is refused ---


def test_photo_other_formats(put):
    """An image of another format should be refused."""
    for format in ("BMP", "TIFF", "ICO", "PPM"):
        assert put({"photo": b64(picture(size=(32, 32), format=format))}, status=400) == {"photo": NO_IMAGE}
    assert stored_files() == set()


@pytest.mark.parametrize(
    "content", [b"x", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", b"GIF89a", b"\xff\xd8\xff"]
)
def test_photo_no_image(put, content):
    """What is no image should be refused, whatever its name says."""
    assert put({"photo": upload(content)}, format="multipart", status=400) == {"photo": NO_IMAGE}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_photo_truncated(put, format, share):
    """A truncated file should be refused, and leave nothing behind."""
    noise = Image.effect_noise((120, 120), 80).convert("RGB")
    file = BytesIO()
    noise.save(file, format)
    content = file.getvalue()
    errors = put({"photo": b64(content[: int(len(content) * share)])}, status=400)
    assert errors in ({"photo": BROKEN}, {"photo": NO_IMAGE})
    assert stored_files() == set()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_photo_broken_exif(put):
    """A broken EXIF block should not be held against the pixels."""
    names = images(put({"photo": b64(picture(exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0"))}))
    assert stored(names["photo"]).size == (300, 200)


@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["x"]])
def test_photo_type(put, value):
    """A photo that is no text should be refused."""
    assert put({"photo": value}, status=400) == {"photo": ["This must be an image file, or one in base64."]}


@pytest.mark.parametrize(
    "value", ["not base64!", "data:image/png;base64,???", "http://localhost/media/i/other.jpeg", "é", "a", "\0"]
)
def test_photo_no_base64(put, value):
    """A text that is no base64 should be refused."""
    assert put({"photo": value}, status=400) == {"photo": ["This must be an image file, or one in base64."]}


def test_photo_empty_data_url(put):
    """A data URL without data should be refused."""
    assert put({"photo": "data:image/png;base64,"}, status=400) == {"photo": ["The file is empty."]}


def test_photo_file_too_large(put):
    """A file over 10 MiB should be refused; one of exactly 10 MiB is taken."""
    content = picture()
    full = content + b"\0" * (settings.PHOTO_LIMIT - len(content))
    for photo in (full, b"\0" + full[1:]):
        assert len(photo) == 10 * 1024 * 1024
    put({"photo": upload(full)}, format="multipart")
    too_large = {"photo": ["The file is larger than 10 MiB."]}
    assert put({"photo": upload(full + b"\0")}, format="multipart", status=400) == too_large
    assert put({"photo": b64(full + b"\0")}, status=400) == too_large


def png_header(width, height):
    """A PNG file of that size, with next to no pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(5001, 5000), (10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_photo_too_many_pixels(put, size):
    """An image over 25 million pixels should be refused by its header, before any pixel is decoded."""
    errors = put({"photo": b64(png_header(*size))}, status=400)
    assert errors == {"photo": ["The image has more than 25 million pixels."]}


def test_photo_most_pixels(put):
    """An image of exactly 25 million pixels should be taken."""
    names = images(put({"photo": b64(picture(size=(5000, 5000), mode="1", colour=1, format="PNG"))}))
    assert stored(names["photo"]).size == (5000, 5000)


def test_photo_refused_saves_nothing(put, asha):
    """A request whose photo is refused should change no other field either."""
    put({"city": "Salem", "photo": b64(b"x")}, status=400)
    asha.refresh_from_db()
    assert asha.city == ""


# --- Orientation and metadata ---


def oriented(orientation, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return picture(halves="blue", exif=exif, **options)


@pytest.mark.parametrize(
    ("orientation", "size", "red", "blue"),
    [
        (1, (300, 200), (10, 100), (290, 100)),
        (2, (300, 200), (290, 100), (10, 100)),
        (3, (300, 200), (290, 100), (10, 100)),
        (4, (300, 200), (10, 100), (290, 100)),
        (5, (200, 300), (100, 10), (100, 290)),
        (6, (200, 300), (100, 10), (100, 290)),
        (7, (200, 300), (100, 290), (100, 10)),
        (8, (200, 300), (100, 290), (100, 10)),
        (9, (300, 200), (10, 100), (290, 100)),
    ],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_photo_orientation(put, format, orientation, size, red, blue):
    """A photo should be stored as its camera was held."""
    image = stored(images(put({"photo": b64(oriented(orientation, format=format))}))["photo"])
    assert image.size == size
    assert near(image.getpixel(red), RED)
    assert near(image.getpixel(blue), BLUE)


def test_photo_crop_after_orientation(put):
    """The crop box should be in pixels of the upright image."""
    box = {"x_offset": 0, "y_offset": 150, "crop_width": 150, "crop_height": 150}
    answer = put({"photo": b64(oriented(6)), **box})
    image = stored(images(answer)["large_image"])
    assert near(image.getpixel((20, 20)), BLUE)
    errors = put({"photo": b64(oriented(6)), **box | {"x_offset": 150}}, status=400)
    assert errors == {"crop_width": ["The crop box reaches beyond the image's 200 pixels."]}


def secretive(format):
    """A picture with secrets in every kind of metadata."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[29] = "SECRET gps"
    options = {"exif": exif, "icc_profile": b"SECRET profile"}
    if format == "JPEG":
        options["comment"] = "SECRET comment"
    if format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Author", "SECRET author")
        options["pnginfo"].add_itxt("Comment", "SECRET comment")
    if format == "WEBP":
        options["xmp"] = b"SECRET xmp"
    return options


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("alpha", [128, 255])
def test_photo_metadata(put, format, alpha):
    """No metadata should be left in any stored file: no place, no comment, no profile."""
    mode, colour = ("RGB", "red") if format == "JPEG" else ("RGBA", (255, 0, 0, alpha))
    content = picture(mode=mode, colour=colour, format=format, **secretive(format))
    assert b"SECRET" in content

    for name in images(put({"photo": b64(content + b"SECRET trailer")})).values():
        with default_storage.open(name) as file:
            assert b"SECRET" not in file.read()
        image = stored(name)
        assert dict(image.getexif()) == {}
        assert not {"exif", "icc_profile", "comment", "xmp", "dpi"} & set(image.info)


# --- The crop box ---


def test_photo_centre(put):
    """Without a crop box the centre square should be taken."""
    image = stored(images(put({"photo": b64(picture(size=(400, 200), halves="blue"))}))["large_image"])
    assert near(image.getpixel((100, 128)), RED)
    assert near(image.getpixel((156, 128)), BLUE)


def test_photo_crop(put):
    """With a crop box only what is in it should show, and it is answered."""
    answer = put({"photo": b64(picture(size=(400, 200), halves="blue", format="PNG")), **BOX | {"x_offset": 200}})
    assert {name: answer[name] for name in BOX} == BOX | {"x_offset": 200}
    names = images(answer)
    assert near(stored(names["photo"]).getpixel((10, 10)), RED)
    for column in SIZES:
        assert near(stored(names[column]).getpixel((0, 0)), BLUE)


def test_photo_crop_not_square(put):
    """Of a box that is not square its centre square should be taken, not a stretched box."""
    box = {"x_offset": 100, "y_offset": 0, "crop_width": 300, "crop_height": 100}
    image = stored(
        images(put({"photo": b64(picture(size=(400, 200), halves="blue", format="PNG")), **box}))["large_image"]
    )
    # The square spans the pixels 200 to 300 of the original: all blue.
    assert near(image.getpixel((2, 2)), BLUE)


def test_photo_crop_whole(put):
    """A box of the whole image should be allowed."""
    box = {"x_offset": 0, "y_offset": 0, "crop_width": 300, "crop_height": 200}
    assert put({"photo": b64(picture()), **box})["crop_width"] == 300


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"x_offset": 201}, "crop_width"),
        ({"y_offset": 101}, "crop_height"),
        ({"crop_width": 291}, "crop_width"),
        ({"crop_height": 181}, "crop_height"),
        ({"x_offset": 300}, "x_offset"),
        ({"y_offset": 200}, "y_offset"),
    ],
)
def test_photo_crop_outside(put, change, field):
    """A box that sticks out of the image should be refused, naming the field; nothing is stored."""
    assert list(put({"photo": b64(picture()), **BOX, **change}, status=400)) == [field]
    assert stored_files() == set()


def test_photo_crop_in_part(put):
    """A new photo with a part of a crop box should be refused, naming what is missing."""
    put({"photo": b64(picture()), **BOX})
    errors = put({"photo": b64(picture()), "x_offset": 0, "crop_width": 10}, status=400)
    assert errors == {
        "y_offset": ["A crop box needs all four values."],
        "crop_height": ["A crop box needs all four values."],
    }


def test_photo_crop_form(put):
    """A form should carry photo and crop box together."""
    answer = put({"photo": upload(picture()), **BOX}, format="multipart")
    assert {name: answer[name] for name in BOX} == BOX


def test_photo_new_clears_crop(put):
    """A new photo without a crop box should forget the old photo's."""
    put({"photo": b64(picture()), **BOX})
    answer = put({"photo": b64(picture())})
    assert {name: answer[name] for name in NO_BOX} == NO_BOX


# --- Cutting anew ---


def test_photo_recut(put):
    """New crop values alone should cut the stored original anew, keep it, and remove the old sizes."""
    before = images(put({"photo": b64(picture(size=(400, 200), halves="blue"))}))
    box = {"x_offset": 0, "y_offset": 0, "crop_width": 200, "crop_height": 200}

    answer = put(box)

    after = images(answer)
    assert {name: answer[name] for name in box} == box
    assert after["photo"] == before["photo"]
    assert not set(after.values()) & set(before.values()) - {after["photo"]}
    assert near(stored(after["large_image"]).getpixel((250, 128)), RED)
    assert stored_files() == set(after.values())


def test_photo_recut_in_part(put):
    """A part of a crop box should be joined with the stored rest."""
    put({"photo": b64(picture()), **BOX})
    answer = put({"x_offset": 50})
    assert {name: answer[name] for name in BOX} == BOX | {"x_offset": 50}
    assert put({"crop_width": 251}, status=400) == {
        "crop_width": ["The crop box reaches beyond the image's 300 pixels."]
    }
    assert put({"crop_width": None}, status=400) == {"crop_width": ["A crop box needs all four values."]}
    assert len(stored_files()) == 6


def test_photo_recut_to_centre(put):
    """A cleared crop box should cut the centre square anew."""
    put({"photo": b64(picture(size=(400, 200), halves="blue")), **BOX})
    names = images(put(NO_BOX))
    assert near(stored(names["large_image"]).getpixel((200, 128)), BLUE)


def test_photo_recut_same(put):
    """The crop box as it is should change nothing."""
    before = put({"photo": b64(picture()), **BOX})
    assert put(BOX) == before


def test_photo_recut_transparent(put):
    """A transparent photo should stay so when it is cut anew."""
    put({"photo": b64(picture(mode="RGBA", colour=(255, 0, 0, 9), format="PNG"))})
    names = images(put(BOX))
    assert stored(names["mini_image"]).getpixel((5, 5))[3] == 9


def test_photo_recut_large_original(put, settings):
    """An original that became larger than a sent file may be should still be cut."""
    put({"photo": b64(picture())})
    settings.PHOTO_LIMIT = 100
    assert put(BOX)["x_offset"] == 10


def test_photo_crop_without_photo(put):
    """A crop box without a photo should be refused; clearing one is harmless."""
    assert put(BOX, status=400) == {name: ["There is no photo to crop."] for name in BOX}
    assert put({**NO_BOX, "city": "Salem"})["city"] == "Salem"


def test_photo_recut_lost_original(put, media):
    """A stored original that is gone should be told, not be a server's error."""
    name = images(put({"photo": b64(picture())}))["photo"]
    default_storage.delete(name)
    assert put(BOX, status=400) == {"photo": ["The stored photo cannot be read. Send it again."]}


# --- Removing and keeping ---


@pytest.mark.parametrize("nothing", ["", None])
def test_photo_removed(put, nothing):
    """A student should be allowed to remove the photo; its files and crop box go with it."""
    put({"photo": b64(picture()), **BOX})
    answer = put({"photo": nothing})
    assert {name: answer[name] for name in (*photos.FILES, *NO_BOX)} == dict.fromkeys(photos.FILES, "") | NO_BOX
    assert stored_files() == set()


def test_photo_removed_by_form(put):
    """An empty form field should remove the photo."""
    put({"photo": upload(picture())}, format="multipart")
    assert put({"photo": ""}, format="multipart")["photo"] == ""
    assert stored_files() == set()


def test_photo_removed_twice(put):
    """Removing a photo that is not there should be harmless."""
    assert put({"photo": ""})["photo"] == ""


@pytest.mark.parametrize("column", photos.FILES)
def test_photo_present_url(put, column):
    """One of the present URLs should change nothing, the crop box included."""
    before = put({"photo": b64(picture()), **BOX})
    assert put({"photo": before[column], "city": "Salem"}) == before | {"city": "Salem"}
    assert len(stored_files()) == 6


def test_photo_present_url_elsewhere(put):
    """The present URL by another scheme, host or signature should change nothing either."""
    before = put({"photo": b64(picture())})
    path = before["photo"].removeprefix("http://localhost")
    for url in (path, f"https://cdn.example.com{path}?X-Amz-Signature=1"):
        assert put({"photo": url}) == before


def test_photo_echo_whole(put):
    """A client that sends back the whole profile should change nothing."""
    before = put({"photo": b64(picture()), **BOX})
    assert put(before) == before


def test_photo_present_url_with_crop(put):
    """The present URL with new crop values should cut anew."""
    before = put({"photo": b64(picture())})
    after = put({"photo": before["photo"], **BOX})
    assert after["photo"] == before["photo"]
    assert after["large_image"] != before["large_image"]


def test_photo_of_another(put, balu, django_capture_on_commit_callbacks):
    """Another student's URL should be refused."""
    with django_capture_on_commit_callbacks(execute=True):
        other = Api(balu).put(f"users/{balu.pk}/", {"photo": b64(picture())})
    assert list(put({"photo": other["photo"]}, status=400)) == ["photo"]


# --- Files and row together ---


def test_photo_replaced(put, asha):
    """A replaced photo should leave no file behind, and names are never used twice."""
    before = images(put({"photo": b64(picture())}))
    after = images(put({"photo": b64(picture())}))
    assert not set(before.values()) & set(after.values())
    assert stored_files() == set(after.values())
    asha.refresh_from_db()
    assert photos.file_names(asha) == after


def test_photo_served(put, client):
    """A photo's URL should lead to the file."""
    response = client.get(put({"photo": b64(picture())})["small_image"], HTTP_HOST="localhost")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert Image.open(BytesIO(b"".join(response.streaming_content))).size == (48, 48)


def test_photo_failed_transaction(put, asha, monkeypatch):
    """If the row cannot be saved, the new files should go, and the old ones stay."""
    before = images(put({"photo": b64(picture())}))

    def fail(*args, **kwargs):
        raise RuntimeError("The database is gone.")

    monkeypatch.setattr(User, "save", fail)
    with pytest.raises(RuntimeError):
        put({"photo": b64(picture())})

    assert stored_files() == set(before.values())
    asha.refresh_from_db()
    assert photos.file_names(asha) == before


def test_photo_failed_storage(put, asha, monkeypatch):
    """If a file cannot be written, those written before should go."""
    save, names = type(default_storage._wrapped)._save, []

    def fail_at_the_fourth(self, name, content):
        if len(names) == 3:
            raise OSError("The disk is full.")
        names.append(name)
        return save(self, name, content)

    monkeypatch.setattr(type(default_storage._wrapped), "_save", fail_at_the_fourth)
    with pytest.raises(OSError, match="full"):
        put({"photo": b64(picture())})
    assert len(names) == 3
    assert stored_files() == set()


def test_photo_recut_meets_replacement(put, asha, monkeypatch):
    """A photo that is replaced while the old one is being cut anew should stay, and be cut itself."""
    put({"photo": b64(picture(colour="red"))})
    save, replaced = type(default_storage._wrapped)._save, []

    def replace_first(self, name, content):
        if not replaced:
            replaced.append(True)
            replaced.append(images(put({"photo": b64(picture(colour="blue"))})))
        return save(self, name, content)

    monkeypatch.setattr(type(default_storage._wrapped), "_save", replace_first)
    answer = put(BOX)

    names = images(answer)
    assert names["photo"] == replaced[1]["photo"]
    assert {name: answer[name] for name in BOX} == BOX
    assert near(stored(names["large_image"]).getpixel((5, 5)), BLUE)
    assert stored_files() == set(names.values())


@pytest.mark.django_db(transaction=True)
def test_photo_parallel(media, asha):
    """Photos sent at the same moment should leave one of them, whole, and no other file."""
    start = threading.Barrier(4)

    def send(number):
        try:
            start.wait(10)
            Api(asha).put(f"users/{asha.pk}/", {"photo": b64(picture()), "city": f"city {number}"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))

    asha.refresh_from_db()
    assert stored_files() == set(photos.file_names(asha).values())
    assert len(stored_files()) == 6
