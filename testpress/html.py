"""HTML that staff write and clients show: cleaned when it is written, so that all that is stored is safe to show."""

import re

import nh3
from django.db import models

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
TAGS = frozenset(nh3.ALLOWED_TAGS) | MATHML_TAGS | {"figure", "figcaption", "u", "s", "font", "section"}
ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    **{tag: set(MATHML_ATTRIBUTES) for tag in MATHML_TAGS},
}
ATTRIBUTES["*"] = {"align", "class", "dir", "id", "lang", "style", "title"}
ATTRIBUTES["font"] = {"color", "face", "size"}
for tag in ("td", "th"):
    ATTRIBUTES.setdefault(tag, set()).update({"valign", "width", "height", "colspan", "rowspan"})
ATTRIBUTES.setdefault("table", set()).update({"border", "cellpadding", "cellspacing", "width"})
ATTRIBUTES["math"].add("xmlns")
STYLES = frozenset(
    """background-color border border-bottom border-collapse border-color border-left border-right border-spacing
    border-style border-top border-width color font-family font-size font-style font-variant font-weight height
    letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width
    padding padding-bottom padding-left padding-right padding-top text-align text-decoration text-indent
    text-transform vertical-align white-space width word-spacing""".split()
)
SCHEMES = frozenset({"http", "https", "mailto", "tel", "data"})
RASTER_DATA = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z", re.IGNORECASE)


def _keep_attribute(tag, name, value):
    """`data:` passes the scheme list for the sake of images; here it is held to raster images in `img[src]`."""
    if re.sub(r"[\s\x00-\x20]+", "", value).lower().startswith("data:"):
        return value if (tag, name) == ("img", "src") and RASTER_DATA.match(value) else None
    return value


def clean_html(html: str) -> str:
    """`html` with its formatting, tables, images and MathML, without scripts, handlers, frames and foreign schemes."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes=SCHEMES,
        filter_style_properties=STYLES,
    )


class HTMLField(models.TextField):
    """Text that is HTML; it is cleaned by every way of writing it (save, bulk_create, update)."""

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = clean_html(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_db_prep_save(self, value, connection):
        return super().get_db_prep_save(clean_html(value) if isinstance(value, str) else value, connection)
