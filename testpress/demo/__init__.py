"""The demo institute: made-up people, exams, products and posts that an empty server begins with.

This module holds the identities: by them `load_demo` makes, and `remove_demo` finds, what is the demo's. Slugs begin
with `demo-`, so that nobody's own exam, product or post is ever taken for one of these; the demo's users are the
members of `GROUP`, because `admin` may well be somebody's own log-in. The rest of the package: `people`, `sittings`
(who took which exam, and how), `texts` (products and posts), `exams/` (in the format of `manage.py import_exam`),
`drawings`, and the two verbs, `loading` and `removing`.
"""

from pathlib import Path

EXAM_FILES = Path(__file__).parent / "exams"

STUDENT = "testpress"
ADMIN = "admin"
PASSWORD = "demo"  # noqa: S105  (known to everybody; a system check keeps it from the network)

GROUP = "Demo institute: its members go with remove_demo"
INSTITUTE = "Demo Institute"
UNNAMED_INSTITUTE = "Institute"  # as the migrations leave it
BATCHES = ("EEE", "ECE", "UPSC Morning Batch")

GENERAL_STUDIES = "demo-general-studies"  # open to the demo student, who has not begun it
BANKING = "demo-banking-prelims"  # ranked; the demo student has finished it
MAINS = "demo-mains-practice"  # with an essay; the demo student has paused in it
SCIENCE = "demo-general-science"  # opens a week after loading
ELECTRONICS = "demo-electronics"  # of a batch that the demo student is not in
POLITY = "demo-polity-history"  # finished and retaken by the demo student
EXAMS = (GENERAL_STUDIES, BANKING, MAINS, SCIENCE, ELECTRONICS, POLITY)

PRODUCTS = ("demo-banking-test-series", "demo-civil-services-foundation")
NOTES = ("demo-preamble-and-fundamental-rights", "demo-formulas-for-aptitude")
PRODUCT_CATEGORIES = ("Banking", "Civil Services")

POSTS = (
    "demo-welcome",
    "demo-timetable-of-the-week",
    "demo-laboratory-for-ece",
    "demo-negative-marks",
    "demo-reading-a-report",
)
POST_CATEGORIES = {"demo-announcements": "Announcements", "demo-study-tips": "Study Tips"}
