"""What the demo draws for itself: a student's portrait, the products' pictures and the pages of the notes."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

INK = "#22252e"


def portrait() -> bytes:
    """A face in flat colours, 512 × 512, as a PNG file."""
    image = Image.new("RGB", (512, 512), "#cfe3f5")
    draw = ImageDraw.Draw(image)
    hair, skin, dress = "#2d2130", "#c98f65", "#b03a5b"
    draw.ellipse((136, 64, 376, 330), fill=hair)
    draw.rounded_rectangle((136, 190, 376, 400), 40, fill=hair)
    draw.ellipse((72, 372, 440, 700), fill=dress)
    draw.rounded_rectangle((220, 300, 292, 420), 34, fill="#b57c54")
    draw.ellipse((172, 110, 340, 346), fill=skin)
    draw.pieslice((160, 84, 352, 250), 180, 360, fill=hair)
    for x in (222, 290):
        draw.ellipse((x - 10, 218, x + 10, 238), fill=hair)
        draw.arc((x - 22, 192, x + 22, 222), 205, 335, fill=hair, width=5)
    draw.ellipse((250, 178, 262, 190), fill=dress)
    draw.line((256, 236, 248, 268, 262, 270), fill="#a26a45", width=4, joint="curve")
    draw.arc((222, 264, 290, 312), 25, 155, fill="#8d2f3f", width=7)
    return _png(image)


def cover(title: str, subtitle: str, top: str, bottom: str) -> bytes:
    """A product's picture, 900 × 750: two lines of text on a gradient from `top` to `bottom`, as a PNG file."""
    width, height = 900, 750
    shades = Image.linear_gradient("L").resize((width, height))
    image = Image.composite(Image.new("RGB", (width, height), bottom), Image.new("RGB", (width, height), top), shades)
    draw = ImageDraw.Draw(image, "RGBA")
    for n in range(4):
        radius = 150 + 90 * n
        draw.ellipse((width - radius, -radius, width + radius, radius), outline=(255, 255, 255, 70), width=14)
    draw.rounded_rectangle((70, 352, 190, 362), 5, fill="white")
    draw.text((70, 400), title, fill="white", font=ImageFont.load_default(88))
    draw.text((70, 510), subtitle, fill=(255, 255, 255, 225), font=ImageFont.load_default(60))
    return _png(image)


def page(lines: tuple[str, ...]) -> bytes:
    """A page of A4 with a heading (the first line) and lines of text, as a PDF file."""
    image = Image.new("L", (1240, 1754), "white")
    draw = ImageDraw.Draw(image)
    heading, *rest = lines
    draw.text((120, 130), heading, fill=0, font=ImageFont.load_default(60))
    draw.line((120, 225, 1120, 225), fill=0, width=4)
    for n, line in enumerate(rest):
        draw.text((120, 260 + 62 * n), line, fill=0, font=ImageFont.load_default(36))
    file = BytesIO()
    # Without dates in it the file is the same each time.
    image.convert("1", dither=Image.Dither.NONE).save(file, "PDF", resolution=150, creationDate=None, modDate=None)
    return file.getvalue()


def _png(image):
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
