"""The demo's products with their notes, and its posts."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from catalog.models import Product
from testpress import demo

BANKING, CIVIL_SERVICES = demo.PRODUCT_CATEGORIES
EEE, ECE, _ = demo.BATCHES
ANNOUNCEMENTS, STUDY_TIPS = demo.POST_CATEGORIES
TEST_SERIES, FOUNDATION = demo.PRODUCTS


class NoteText(NamedTuple):
    """A note; its document is a page with `lines`."""

    slug: str
    title: str
    description: str
    lines: tuple[str, ...]


class ProductText(NamedTuple):
    slug: str
    title: str
    description: str
    category: str
    types: tuple[str, ...]
    exams: tuple[str, ...]
    price: Decimal
    requires_shipping: bool
    pictures: tuple[tuple[str, str, str, str], ...]  # title, second line, and the two colours of the gradient
    notes: tuple[NoteText, ...] = ()


class PostText(NamedTuple):
    slug: str
    title: str
    summary: str
    content_html: str
    category: str
    ago: timedelta
    public: bool = False
    batches: tuple[str, ...] = ()


# The first product is listed last: the API lists the newest first.
PRODUCT_TEXTS = (
    ProductText(
        slug=TEST_SERIES,
        title="Banking Prelims Test Series",
        description=(
            "<p>Speed tests in the pattern of the preliminary examination, each with a rank among all who took it.</p>"
            "<ul><li>Quantitative aptitude, reasoning and English</li><li>A worked solution to every question</li></ul>"
        ),
        category=BANKING,
        types=(Product.Type.EXAMS,),
        exams=(demo.BANKING,),
        price=Decimal("499.00"),
        requires_shipping=False,
        pictures=(("Banking Prelims", "Test Series", "#0f4c75", "#3ab0a2"),),
    ),
    ProductText(
        slug=FOUNDATION,
        title="Civil Services Foundation Course",
        description=(
            "<p>Mock tests and notes for the first year of preparation, with classes on weekday mornings.</p>"
            "<table><thead><tr><th>Part</th><th>What you get</th></tr></thead><tbody>"
            "<tr><td>Tests</td><td>General studies, polity and history, mains practice</td></tr>"
            "<tr><td>Notes</td><td>Two sheets to print and pin up</td></tr></tbody></table>"
        ),
        category=CIVIL_SERVICES,
        types=(Product.Type.EXAMS, Product.Type.EBOOKS, Product.Type.CLASSROOM),
        exams=(demo.GENERAL_STUDIES, demo.POLITY, demo.MAINS),
        price=Decimal("2499.00"),
        requires_shipping=False,
        pictures=(
            ("Civil Services", "Foundation Course", "#5b2a86", "#e06c75"),
            ("Two years,", "one plan", "#b0413e", "#f4a259"),
        ),
        notes=(
            NoteText(
                slug=demo.NOTES[0],
                title="Preamble and Fundamental Rights",
                description="<p>The Preamble's words and the six groups of Fundamental Rights on one page.</p>",
                lines=(
                    "Preamble and Fundamental Rights",
                    "",
                    "The Preamble calls India a sovereign socialist secular",
                    "democratic republic, and names four aims:",
                    "justice, liberty, equality and fraternity.",
                    "",
                    "Articles 14-18   Right to equality",
                    "Articles 19-22   Right to freedom",
                    "Articles 23-24   Right against exploitation",
                    "Articles 25-28   Right to freedom of religion",
                    "Articles 29-30   Cultural and educational rights",
                    "Article 32         Right to constitutional remedies",
                    "",
                    "For citizens only: Articles 15, 16, 19, 29 and 30.",
                ),
            ),
            NoteText(
                slug=demo.NOTES[1],
                title="Formulas for Aptitude",
                description="<p>What is worth knowing by heart, and nothing else.</p>",
                lines=(
                    "Formulas for Aptitude",
                    "",
                    "Per cent change = 100 x (new - old) / old",
                    "Simple interest = P x r x t / 100",
                    "Compound amount = P x (1 + r / 100) ^ t",
                    "CI - SI over 2 years = P x (r / 100) ^ 2",
                    "",
                    "Work together: 1/a + 1/b of it each day",
                    "km/h to m/s: multiply by 5 / 18",
                    "Train and platform: add the two lengths",
                    "",
                    "Roots of ax^2 + bx + c: sum -b/a, product c/a",
                    "Right triangles: 3-4-5, 5-12-13, 8-15-17",
                ),
            ),
        ),
    ),
)

POST_TEXTS = (
    PostText(
        slug=demo.POSTS[0],
        title="Welcome to the demo institute",
        summary="What you find here, and how to look around.",
        content_html=(
            "<p>Everything here is made up: the students, their results and this post. Look around as a student:</p>"
            "<ul><li>The <b>General Studies Mock Test 1</b> is waiting to be started.</li>"
            "<li>The <b>Mains Practice</b> is paused in the middle of an essay. Resume it: the clock goes on where it "
            "stopped.</li>"
            "<li>The <b>Banking Prelims Speed Test</b> is finished: look at the rank and the review.</li></ul>"
            "<p>Teachers find the same exams, with keys and explanations, in the admin site.</p>"
        ),
        category=ANNOUNCEMENTS,
        ago=timedelta(days=12, hours=3),
        public=True,
    ),
    PostText(
        slug=demo.POSTS[1],
        title="Timetable of the week",
        summary="Classes of batch EEE from Monday to Friday.",
        content_html=(
            '<table border="1" cellpadding="4"><thead><tr><th>Day</th><th>7:00</th><th>9:00</th></tr></thead><tbody>'
            "<tr><td>Monday</td><td>Polity</td><td>Aptitude</td></tr>"
            "<tr><td>Tuesday</td><td>History</td><td>Reasoning</td></tr>"
            "<tr><td>Wednesday</td><td>Geography</td><td>Essay workshop</td></tr>"
            "<tr><td>Thursday</td><td>Economy</td><td>Aptitude</td></tr>"
            "<tr><td>Friday</td><td>General science</td><td>Test and discussion</td></tr></tbody></table>"
            "<p>Bring a printed copy of last week's test on Friday.</p>"
        ),
        category=ANNOUNCEMENTS,
        ago=timedelta(days=6, hours=8),
        batches=(EEE,),
    ),
    PostText(
        slug=demo.POSTS[2],
        title="Laboratory hours for ECE",
        summary="The laboratory is open on two afternoons.",
        content_html=(
            "<p>Boards, probes and meters are laid out on <b>Tuesday and Thursday from 14:00 to 17:00</b>. Take the "
            "<i>Electronics Diagnostic Test</i> first: it tells you which of the experiments to begin with.</p>"
        ),
        category=ANNOUNCEMENTS,
        ago=timedelta(days=4, hours=2),
        batches=(ECE,),
    ),
    PostText(
        slug=demo.POSTS[3],
        title="When is a guess worth it?",
        summary="A little arithmetic about negative marks.",
        content_html=(
            "<p>A right answer brings +1, a wrong one costs 0.25, there are five answers. A blind guess is right one "
            "time in five:</p>"
            "<p><math><mrow><mfrac><mn>1</mn><mn>5</mn></mfrac><mo>×</mo><mn>1</mn><mo>−</mo><mfrac><mn>4</mn><mn>5</mn>"
            "</mfrac><mo>×</mo><mfrac><mn>1</mn><mn>4</mn></mfrac><mo>=</mo><mn>0</mn></mrow></math></p>"
            "<p>It neither gains nor loses anything in the long run. Strike out <b>one</b> answer for certain, and the "
            "same guess brings <math><mfrac><mn>1</mn><mn>16</mn></mfrac></math> of a mark on average. So: never guess "
            "blindly, and never leave a question blank of which you know what it is <i>not</i>.</p>"
        ),
        category=STUDY_TIPS,
        ago=timedelta(days=2, hours=5),
    ),
    PostText(
        slug=demo.POSTS[4],
        title="How to read a report in ten minutes",
        summary="Four questions that turn a long report into half a page of notes.",
        content_html=(
            "<p>Budget papers and survey reports are long on purpose. Ask of each chapter:</p>"
            "<ol><li>Which number changed most since last year?</li><li>Who gains by the change, and who pays?</li>"
            "<li>Which claim has no number beside it?</li><li>What would you expect to find, and is missing?</li>"
            "</ol><p>Write down the answers, with the page, and nothing else.</p>"
        ),
        category=STUDY_TIPS,
        ago=timedelta(hours=20),
        public=True,
    ),
)
