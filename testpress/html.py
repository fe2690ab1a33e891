"""HTML that staff write and clients show: cleaned when it is written, so that all that is stored is safe to show."""

import re
from html import unescape

import nh3
from django.core.exceptions import ValidationError
from django.db import models

LONGEST = 1024 * 1024
# Parsing may cost the square of the tags: open formatting is repeated in every paragraph that follows.
MOST_TAGS = 3_000

MATHML_TAGS = frozenset(
    """math maction menclose merror mfenced mfrac mi mlongdiv mmultiscripts mn mo mover mpadded mphantom mprescripts
    mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none semantics""".split()
)
MATHML_ATTRIBUTES = frozenset(
    """accent accentunder bevelled close columnalign columnlines columnspacing denomalign depth dir display displaystyle
    fence frame height largeop linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize
    movablelimits notation numalign open rowalign rowlines rowspacing rspace scriptlevel separator separators stretchy
    subscriptshift superscriptshift symmetric voffset width""".split()
)
TAGS = nh3.ALLOWED_TAGS | MATHML_TAGS | {"big", "figure", "figcaption", "font", "s", "section", "tfoot", "u"}
# What these hold is not text of the page; a formula's annotation is its source in another notation.
DROPPED_WHOLE = {"annotation", "annotation-xml", "iframe", "noscript", "script", "style", "svg", "template", "title"}
# Neither `id` nor `name`: in a client's page they could stand in for variables and elements of its own.
ATTRIBUTES = {
    **{tag: set(names) - {"cite"} for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML_TAGS},
    "*": {"align", "class", "dir", "lang", "style", "title"},
    "font": {"color", "face", "size"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "ul": {"type"},
}
for tag in ("td", "th"):
    ATTRIBUTES[tag] |= {"valign", "width", "height"}
ATTRIBUTES["table"] |= {"border", "cellpadding", "cellspacing", "width"}
ATTRIBUTES["math"].add("xmlns")

STYLES = frozenset(
    """background-color border border-bottom border-collapse border-color border-left border-right border-spacing
    border-style border-top border-width color font-family font-size font-style font-variant font-weight height
    letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width
    padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-indent
    text-transform vertical-align white-space width word-spacing""".split()
)
# Words, numbers, colours and quoted names: no url(), no other function, no escape that could spell one.
STYLE_VALUE = re.compile(
    r"""(?:(?:rgb|hsl)a?\([\d\s.,%/]*+\)|"[\w\s-]*+"|'[\w\s-]*+'|[\w\s#%.,+-])++""", re.ASCII | re.IGNORECASE
)
SCHEMES = {"http", "https", "mailto", "tel", "data"}
RASTER_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*+", re.IGNORECASE)
# The characters that browsers skip in an address before they look at its scheme.
SKIPPED = re.compile(r"[\x00-\x20\x7f-\xa0]+")
START_TAG = re.compile(r"<[a-zA-Z]")
LINE_AFTER_PRE = re.compile(r"(<pre(?: [^>]*)?>)(?=\n)")


def _keep_attribute(tag, name, value):
    """The value that nh3 shall write, or None: what its lists of names and schemes alone would let through."""
    if name == "style":
        return _clean_style(value) or None
    if name in ("href", "src"):
        address = SKIPPED.sub("", value).lower()
        # nh3 takes a scheme for images and links alike.
        if address.startswith("data:"):
            return value.strip() if (tag, name) == ("img", "src") and RASTER_DATA.fullmatch(value.strip()) else None
    return value


def _clean_style(style: str) -> str:
    kept = []
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), " ".join(value.split())
        if name in STYLES and STYLE_VALUE.fullmatch(value):
            kept.append(f"{name}:{value}")
    return ";".join(kept)


_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED_WHOLE,
    attributes=ATTRIBUTES,
    attribute_filter=_keep_attribute,
    url_schemes=SCHEMES,
)
_text_only = nh3.Cleaner(tags=set(), clean_content_tags=DROPPED_WHOLE, attributes={})


def clean_html(html: str) -> str:
    """`html` with its formatting, tables, images and MathML, without scripts, handlers, frames and foreign schemes.

    Cleaning what is clean changes nothing. Raises ValidationError where `html` is too large, or no valid text.
    """
    if len(html) > LONGEST:
        raise ValidationError(f"This is longer than {LONGEST:,} characters.", code="too_long")
    if sum(1 for _ in START_TAG.finditer(html)) > MOST_TAGS:
        raise ValidationError(f"This has more than {MOST_TAGS:,} tags.", code="too_many_tags")
    # A "<" that no ">" follows opens no tag: somebody wrote "a<b", and a parser would swallow the rest.
    end = html.rfind(">") + 1
    html = html[:end] + html[end:].replace("<", "&lt;")
    # Markup that a second parser would read otherwise than the first is how attacks pass sanitizers, so only what
    # reads the same again is let through. Two rounds are the rule.
    for _ in range(5):
        cleaned = _once(html)
        if cleaned == html:
            return cleaned
        if len(cleaned) > 2 * LONGEST:
            raise ValidationError("This is nested too deep.", code="nested_too_deep")
        html = cleaned
    return _text_only.clean(html)


def _once(html):
    try:
        cleaned = _cleaner.clean(html)
    except UnicodeEncodeError:
        raise ValidationError("This holds half a character (a lone surrogate).", code="surrogate") from None
    # A parser drops the first line break in <pre>; the serializer does not give it back.
    return LINE_AFTER_PRE.sub(r"\1\n", cleaned)


def has_content(html: str) -> bool:
    """Whether a reader of cleaned `html` sees something: text (a formula's too) or a picture."""
    if re.search(r"<img [^>]*\bsrc=", html):
        return True
    return bool(unescape(re.sub(r"<[^>]*>", "", html)).strip())


def excerpt(html: str, length: int = 80) -> str:
    """The text of cleaned `html` in one line of at most `length` characters, for lists in the admin site."""
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
    if not text and "<img " in html:
        return "[picture]"
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


class HTMLField(models.TextField):
    """Text that is HTML; it is cleaned by every way of writing it (forms, save, bulk_create, update).

    Where it may not be blank, a form refuses what shows nothing once it is cleaned.
    """

    def clean(self, value, model_instance):
        value = super().clean(value, model_instance)
        if isinstance(value, str):
            value = clean_html(value)
            if not self.blank and not has_content(value):
                raise ValidationError(self.error_messages["blank"], code="blank")
        return value

    def formfield(self, **kwargs):
        # A form's empty text is null where there may be none.
        return super().formfield(**({"empty_value": None} if self.null else {}) | kwargs)

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = clean_html(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_db_prep_save(self, value, connection):
        return super().get_db_prep_save(clean_html(value) if isinstance(value, str) else value, connection)
