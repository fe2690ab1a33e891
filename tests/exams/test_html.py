"""testpress/html.py: what cleaning takes out, what it leaves, and what it refuses."""

import re
from html.parser import HTMLParser

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exams.models import Answer, Exam, Question
from testpress.html import LONGEST, MOST_TAGS, clean_html, excerpt, has_content
from tests.conftest import make_exam, make_question

PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        # Scripts and what runs them.
        ("a<script>alert(1)</script>b", "ab"),
        ("<script src=//evil></script>", ""),
        ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        ('<p onclick="alert(1)" ONMOUSEOVER=x>a</p>', "<p>a</p>"),
        ('<img src="/a.png" onerror=alert(1)>', '<img src="/a.png">'),
        ("<img src=x onerror=alert(1)//", "&lt;img src=x onerror=alert(1)//"),
        ("<svg onload=alert(1)><circle/></svg>a", "a"),
        ("<svg><script>alert(1)</script></svg>", ""),
        ('<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>', ""),
        ("<details open ontoggle=alert(1)>a</details>", "<details>a</details>"),
        ("<style>p{}</style><title>t</title>a", "a"),
        # Frames, forms, and other foreign bodies.
        ('<iframe src="https://evil"></iframe>a', "a"),
        ('<object data="x"></object><embed src="x">a', "a"),
        ('<form action="/x"><input name="a"><button>b</button></form>', "b"),
        ('<base href="//evil"><meta http-equiv="refresh" content="0"><link rel=stylesheet href=x>a', "a"),
        ("<video src=x></video><audio src=x></audio>a", "a"),
        ("<!-- a --><!--[if IE]>b<![endif]-->c", "c"),
        # Addresses.
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="JaVa&#9;ScRiPt:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href=" &#1;javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="vbscript:x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href=" d&#10;ata:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        (f'<a href="{PIXEL}">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<img src="data:image/svg+xml;base64,PHN2Zz4=">', "<img>"),
        ('<img src="data:text/html;base64,PHN2Zz4=">', "<img>"),
        ('<img src="data:image/png,<svg>">', "<img>"),
        ('<img src="DATA:image/svg+xml,x">', "<img>"),
        ('<img src="file:///etc/passwd">', "<img>"),
        ('<img src="/a.png" srcset="javascript:x 1x">', '<img src="/a.png">'),
        ('<blockquote cite="javascript:x">a</blockquote>', "<blockquote>a</blockquote>"),
        ('<p id="location" name="x">a</p>', "<p>a</p>"),
        # Styles.
        ('<p style="background-color:url(javascript:alert(1))">a</p>', "<p>a</p>"),
        ('<p style="border:1px solid url(//evil)">a</p>', "<p>a</p>"),
        (r'<p style="color:u\72l(//evil)">a</p>', "<p>a</p>"),
        ('<p style="width:expression(alert(1))">a</p>', "<p>a</p>"),
        ('<p style="color:red;/**/background:url(x)">a</p>', '<p style="color:red">a</p>'),
        ('<p style="position:fixed;top:0;z-index:9;color:red">a</p>', '<p style="color:red">a</p>'),
        ('<p style="background-image:url(x);behavior:url(x);-moz-binding:url(x)">a</p>', "<p>a</p>"),
        ('<p style="color:red !important;opacity:0">a</p>', "<p>a</p>"),
        ("<p style=\"font-family:'a;b';color:var(--x)\">a</p>", "<p>a</p>"),
        # What turns into markup only when it is read a second time.
        (
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "<math><mtext><table></table></mtext></math>",
        ),
        ('<math><annotation-xml encoding="text/html"><p onclick=x>a</p></annotation-xml></math>', "<math></math>"),
        ('<math href="javascript:x"><mi xlink:href="javascript:x">a</mi></math>', "<math><mi>a</mi></math>"),
        # What only was written carelessly.
        ("<p>a<b>b", "<p>a<b>b</b></p>"),
        ("a<b", "a&lt;b"),
        ("<td>a</td>", "a"),
        ("a\x00b", "ab"),
        (
            "<math><semantics><mi>x</mi><annotation>x</annotation></semantics></math>",
            "<math><semantics><mi>x</mi></semantics></math>",
        ),
        ('<p style="COLOR : Red ; text-align:center">a</p>', '<p style="color:Red;text-align:center">a</p>'),
    ],
)
def test_clean_html_takes_out(dirty, clean):
    assert clean_html(dirty) == clean


@pytest.mark.parametrize(
    "html",
    [
        "",
        "plain text, 2 &lt; 3 &amp; so on",
        "<p>a <b>b</b> <i>c</i> <u>d</u> <s>e</s> <sub>f</sub> <sup>g</sup> <small>h</small></p>",
        "<h2>a</h2><hr><blockquote>b</blockquote><code>c</code><br>",
        "<pre>\n\na\n  b</pre>",
        '<ol start="3" type="a"><li value="5">a</li></ol><ul><li>b</li></ul>',
        '<table border="1" cellpadding="3"><thead><tr><th colspan="2">a</th></tr></thead>'
        '<tbody><tr><td rowspan="2" style="text-align:center">b</td><td>c</td></tr></tbody></table>',
        '<img src="https://example.com/a.png" alt="a" width="3" height="4">',
        '<img src="/media/a.png"><img src="a.png?b=1&amp;c=2">',
        f'<img src="{PIXEL}">',
        '<img src="data:image/jpeg;base64,AAAA"><img src="data:image/webp;base64,AAAA">',
        '<a href="/a/b?c=1#d" rel="noopener noreferrer">a</a><a href="mailto:a@b.c" rel="noopener noreferrer">b</a>',
        '<p style="color:#ff0000;margin-left:1.5em;background-color:rgb(1, 2, 3)">a</p>',
        "<p style=\"font-family:'Times New Roman',serif\">a</p>",
        '<p class="note" lang="ta" dir="ltr">வணக்கம்</p>',
        '<font color="red" size="3" face="Arial">a</font>',
        "<math><mfrac><mi>a</mi><mn>2</mn></mfrac></math>",
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
        "<msqrt><msup><mi>x</mi><mn>2</mn></msup></msqrt>"
        '<mo stretchy="false">(</mo><mtable columnalign="left"><mtr><mtd><mtext>a</mtext></mtd></mtr></mtable></math>',
    ],
)
def test_clean_html_leaves(html):
    assert clean_html(html) == html


FRAGMENTS = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<a href=x>",
            "</a>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<pre>",
            "\n",
            "<li>",
        ),
        *(
            "<ul>",
            "</ul>",
            "<math>",
            "</math>",
            "<mtext>",
            "</mtext>",
            "<mi>",
            "<mglyph>",
            "<svg>",
            "</svg>",
            "<style>",
        ),
        *("</style>", "<!--", "-->", "<title>", "<noscript>", "</noscript>", "<select>", "<form>", "<annotation-xml>"),
        *("<img src=x onerror=y>", '<p title="', '">', "<", ">", "&lt;", "&amp;", "&", "a", " ", "<h1>", "<script>"),
        *(
            '<p style="color:red;',
            "url(x)",
            "]]>",
            "<![CDATA[",
            "<font color=1>",
            "<div>",
            "</div>",
            "<br>",
            "\r",
            "\x00",
        ),
    ]
)


class Attributes(HTMLParser):
    """The names of all attributes; what only looks like one, in text or in another's value, is none."""

    def __init__(self, html):
        super().__init__()
        self.names = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.update(name for name, _ in attrs)


@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join))
@example("<pre>\n\nx</pre>")
@example("<b><a href=x><table><a href=y>")
@example('<p title="<img src=x onerror=y>">')
@example("<p style=\"font-family:'a;b';width:f(g(1))\">")
@settings(max_examples=400, deadline=None)
def test_cleaning_what_is_clean_changes_nothing(html):
    clean = clean_html(html)
    assert clean_html(clean) == clean
    assert not re.search(r"<(?:script|style|svg|iframe|title)", clean)
    assert [name for name in Attributes(clean).names if name.startswith("on")] == []


@pytest.mark.parametrize("tag", ["<div>", "<b>", "<table><tr><td>", "<math><mrow>", "<font color=1>x<p>"])
def test_clean_html_refuses_more_tags_than_it_can_parse_quickly(tag):
    with pytest.raises(ValidationError, match="more than 3,000 tags"):
        clean_html(tag * 10_000)


def test_clean_html_takes_as_deep_as_tags_allow():
    assert clean_html("<div>" * MOST_TAGS) == "<div>" * MOST_TAGS + "</div>" * MOST_TAGS


def test_clean_html_refuses_what_parsing_would_multiply():
    with pytest.raises(ValidationError, match="nested too deep"):
        clean_html("".join(f"<font color={n}>x<p>" for n in range(MOST_TAGS // 2)))


def test_clean_html_refuses_what_is_too_long_or_no_text():
    assert clean_html("x" * LONGEST) == "x" * LONGEST
    with pytest.raises(ValidationError, match="longer than"):
        clean_html("x" * (LONGEST + 1))
    with pytest.raises(ValidationError, match="lone surrogate"):
        clean_html("\ud800")


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<p>a</p>", True),
        ('<img src="a.png">', True),
        ("<math><mi>x</mi></math>", True),
        ("", False),
        ("<p> &nbsp;<br></p>", False),
        ("<img>", False),
        ("<math></math>", False),
    ],
)
def test_has_content(html, seen):
    assert has_content(html) is seen


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b &lt; c</p>", "a b < c"),
        ('<p><img src="x"></p>', "[picture]"),
        ("x" * 81, "x" * 79 + "…"),
        ("", ""),
    ],
)
def test_excerpt(html, text):
    assert excerpt(html) == text


@pytest.mark.django_db
def test_every_way_of_writing_cleans():
    dirty, clean = "<p onclick=x>a</p>", "<p>a</p>"
    question = make_question(answers=0)

    exam = make_exam(description=dirty)
    Answer.objects.bulk_create([Answer(question=question, text_html=dirty)])
    Question.objects.filter(pk=question.pk).update(question_html=dirty, direction=dirty)
    question.explanation_html = dirty
    Question.objects.bulk_update([question], ["explanation_html"])

    question.refresh_from_db()
    assert Exam.objects.get(pk=exam.pk).description == exam.description == clean
    assert Answer.objects.get(question=question).text_html == clean
    assert (question.question_html, question.direction, question.explanation_html) == (clean, clean, clean)
