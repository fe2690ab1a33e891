"""Profile photos: what is taken, how the sizes are cut, and how files and row change together.

This module is the only writer of a user's photo columns and of the files they name.
"""

import logging
import secrets
import threading
from dataclasses import dataclass, field
from io import BytesIO

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import ExifTags, Image
from rest_framework.exceptions import NotFound, ValidationError

from accounts.models import User

logger = logging.getLogger(__name__)

FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]
SIZES = {"large_image": 256, "medium_image": 128, "small_image": 48, "x_small_image": 32, "mini_image": 24}  # pixels
FILES = ["photo", *SIZES]
CROP = ["x_offset", "y_offset", "crop_width", "crop_height"]
KEEP = object()

# A decoded image of 25 million pixels takes about 200 MiB: one at a time in a process.
one_at_a_time = threading.Lock()

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# --- The image -------------------------------------------------------------------------------------------------------


def check(content: bytes):
    """Looks at the file's size and header only; no pixel is decoded.

    :raises ValidationError: on `photo`: the file is too large, has too many pixels, or is no image of a known format.
    """
    if len(content) > settings.PHOTO_LIMIT:
        raise ValidationError({"photo": [f"The file is larger than {settings.PHOTO_LIMIT // 1024**2} MiB."]})
    _open(content)


def cut(content: bytes, box=None, *, original=True) -> dict[str, tuple[bytes, str]]:
    """The image file in `content`, which has passed `check`, as files without metadata: {column: (bytes, extension)}.

    `photo` is the whole upright image, left out unless `original`. The other five are exact squares, cut from
    `box` (x, y, width, height in pixels of the upright image), or from the image's centre without one. Of a box that
    is not square its centre square is taken: nobody wants to be stretched.

    :raises ValidationError: on `photo` for a broken file, on a crop field where the box sticks out.
    """
    with one_at_a_time:
        image = decoded(content)
        files = {"photo": encoded(image, quality=95)} if original else {}
        # Cut out before it is made smaller: near an edge, resizing would mix in what lies outside.
        image = image.crop(_square(box or (0, 0, *image.size), image.size))
        largest = image.resize((256, 256), Image.Resampling.LANCZOS)
        for column, size in SIZES.items():
            # From the largest, not from the original five times: the eye sees no difference, the processor does.
            square = largest if size == 256 else largest.resize((size, size), Image.Resampling.LANCZOS)
            files[column] = encoded(square, quality=90)
        return files


def decoded(content: bytes):
    """The upright image as RGB, or as RGBA where it is transparent somewhere, without metadata.

    Only while `one_at_a_time` is held.

    :raises ValidationError: on `photo`: the file is broken, or would not have passed `check`.
    """
    image = _open(content)
    try:
        # Step by step into one name, so that no more than two copies are held at a time.
        image = _upright(image)
        return _plain(image)
    except Exception:
        # Decoders of broken files raise whatever comes up: OSError, SyntaxError, zlib.error, struct.error …
        raise ValidationError({"photo": ["The image is broken."]}) from None


def encoded(image, *, quality: int) -> tuple[bytes, str]:
    """A file of the image and its extension: PNG where it is transparent, else JPEG of that quality."""
    file = BytesIO()
    if image.mode == "RGBA":
        image.save(file, "PNG", compress_level=3)
        return file.getvalue(), "png"
    image.save(file, "JPEG", quality=quality)
    return file.getvalue(), "jpeg"


def _open(content):
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        width = height = settings.PHOTO_PIXELS
    except Exception:
        # Readers of broken headers raise whatever comes up: OSError, SyntaxError, ValueError, struct.error …
        raise ValidationError({"photo": ["This is not a JPEG, PNG, WebP or GIF image."]}) from None
    if width * height > settings.PHOTO_PIXELS:
        raise ValidationError({"photo": [f"The image has more than {settings.PHOTO_PIXELS // 10**6} million pixels."]})
    return image


def _upright(image):
    """The decoded image, turned and mirrored as its EXIF orientation says."""
    image.load()
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # A broken EXIF block says nothing about the pixels.
        orientation = None
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _plain(image):
    """The image as RGB, or as RGBA where it is transparent somewhere; all that is not pixels is dropped."""
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip at 255
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] == 255:
            image = image.convert("RGB")
    elif image.mode != "RGB":
        image = image.convert("RGB")
    # Writers take comments and colour profiles from here.
    image.info = {}
    return image


def _square(box, size):
    """The centre square (left, upper, right, lower) of the box (x, y, width, height).

    :raises ValidationError: naming the crop field by which the box sticks out of the image's size.
    """
    x, y, width, height = box
    errors = {}
    for offset, length, limit, offset_name, length_name in (
        (x, width, size[0], "x_offset", "crop_width"),
        (y, height, size[1], "y_offset", "crop_height"),
    ):
        if offset >= limit:
            errors[offset_name] = [f"This is beyond the image's {limit} pixels."]
        elif offset + length > limit:
            errors[length_name] = [f"The crop box reaches beyond the image's {limit} pixels."]
    if errors:
        raise ValidationError(errors)
    side = min(width, height)
    left, upper = x + (width - side) // 2, y + (height - side) // 2
    return left, upper, left + side, upper + side


# --- Files and row ---------------------------------------------------------------------------------------------------


@dataclass
class _Plan:
    """What a request makes of the photo: new files, already stored, and the columns that change with them.

    `basis` holds the columns that the plan was reckoned from; where they have changed meanwhile, it is void.
    """

    files: dict[str, str] = field(default_factory=dict)
    columns: dict = field(default_factory=dict)
    basis: dict = field(default_factory=dict)


def save_profile(user: User, fields: dict, *, photo=KEEP, crop=None) -> User:
    """Saves `fields` (columns and their values) together with a change of the photo, and gives the user's fresh row.

    `photo`: KEEP, None to remove it, or a new image file's bytes. `crop`: new values of the crop box's columns. With a
    new photo they must be all four or none; alone they are joined with the stored ones, and the sizes are cut anew.

    The image work and the new files come first, outside the transaction. If that fails, the new files are removed; once
    it is committed, the replaced ones are.

    :raises ValidationError: naming `photo` or a field of the crop box.
    :raises NotFound: the user was deleted meanwhile.
    """
    while True:
        plan = _plan(user, photo, crop or {})
        try:
            with transaction.atomic():
                row = User.objects.select_for_update().filter(pk=user.pk).first()
                if row is None:
                    raise NotFound
                void = any(getattr(row, column) != value for column, value in plan.basis.items())
                if not void:
                    _save(row, fields, plan)
        except BaseException:
            remove(plan.files.values())
            raise
        if not void:
            return row
        remove(plan.files.values())
        user = row


def file_names(user: User) -> dict[str, str]:
    """The names of the user's files on storage by their columns, without those that are not there."""
    return {column: file.name for column in FILES if (file := getattr(user, column))}


def remove(names):
    """Removes files from storage. One that cannot be removed is only logged: nobody waits for it any more."""
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            logger.exception("A file could not be removed: %s", name)


def _save(row, fields, plan):
    changes = fields | plan.columns | plan.files
    if not changes:
        return
    replaced = [name for column, name in file_names(row).items() if changes.get(column, name) != name]
    for column, value in changes.items():
        setattr(row, column, value)
    row.save(update_fields=list(changes))
    transaction.on_commit(lambda: remove(replaced))


def _plan(user, photo, crop):
    if photo is None:
        return _Plan(columns=dict.fromkeys(FILES, "") | dict.fromkeys(CROP))
    if photo is not KEEP:
        box = dict.fromkeys(CROP) | crop
        return _Plan(files=_store(cut(photo, _whole_box(box))), columns=box)
    stored = {column: getattr(user, column) for column in CROP}
    box = stored | crop
    if box == stored:
        return _Plan()
    if not user.photo:
        if any(value is not None for value in crop.values()):
            raise ValidationError({column: ["There is no photo to crop."] for column in crop})
        return _Plan(columns=box)
    try:
        with default_storage.open(user.photo.name) as file:
            content = file.read()
    except OSError:
        raise ValidationError({"photo": ["The stored photo cannot be read. Send it again."]}) from None
    files = _store(cut(content, _whole_box(box), original=False))
    return _Plan(files=files, columns=box, basis=stored | {"photo": user.photo})


def _whole_box(box):
    """The crop box as a tuple, None where there is none.

    :raises ValidationError: naming each missing value of a box that is given in part.
    """
    missing = [column for column, value in box.items() if value is None]
    if len(missing) == len(CROP):
        return None
    if missing:
        raise ValidationError({column: ["A crop box needs all four values."] for column in missing})
    return tuple(box[column] for column in CROP)


def _store(files):
    """Writes the files under names that nobody can guess; gives the names by column."""
    names = {}
    try:
        for column, (content, extension) in files.items():
            # Noted before it is written: a full disk leaves a part of it.
            names[column] = f"i/{secrets.token_hex(16)}.{extension}"
            names[column] = default_storage.save(names[column], ContentFile(content))
    except BaseException:
        remove(names.values())
        raise
    return names
