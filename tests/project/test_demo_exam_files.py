"""The demo's exams as they stand in its files."""

import json
import re
from collections import Counter

from testpress import demo
from testpress.html import clean_html


def exam_files():
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(demo.EXAM_FILES.glob("*.json"))]


def questions_of_files():
    return [question for file in exam_files() for question in file["questions"]]


def all_html():
    for file in exam_files():
        yield file["description"]
        for question in file["questions"]:
            yield from (question["question_html"], question["direction"] or "", question["explanation_html"])
            yield from (answer["text_html"] for answer in question["answers"])


def test_exam_files_are_those_of_the_list():
    assert sorted(file["slug"] for file in exam_files()) == sorted(demo.EXAMS)


def test_questions_are_many_and_of_every_type():
    types = Counter(question["type"] for question in questions_of_files())

    assert types.total() >= 45
    assert set(types) == {"R", "C", "E"}


def test_keys_are_whole():
    """R has one correct answer of several different ones, C at least two but not all, E none."""
    for question in questions_of_files():
        texts = [answer["text_html"] for answer in question["answers"]]
        correct = sum(answer["is_correct"] for answer in question["answers"])
        assert len(set(texts)) == len(texts)
        fits = {"R": correct == 1 and len(texts) >= 4, "C": 2 <= correct < len(texts), "E": not texts}
        assert fits[question["type"]], question["question_html"]


def test_every_question_is_explained():
    assert [q["question_html"] for q in questions_of_files() if len(q["explanation_html"]) < 40] == []


def test_html_shows_tables_formulas_and_pictures():
    text = "".join(all_html())

    assert min(text.count(part) for part in ("<table", "<math>", "<mfrac>", "<msqrt>", "<img ")) >= 2


def test_html_is_clean_as_it_stands():
    """The sanitizer should find nothing to change, so that the files show what is stored."""
    assert [html for html in all_html() if clean_html(html) != html] == []


def test_pictures_are_small_and_described():
    for picture in set(re.findall(r"<img [^>]*>", "".join(all_html()))):
        assert 'src="data:image/png;base64,' in picture
        assert len(picture) < 4096 * 4 / 3
        assert re.search(r'alt="[^"]{20,}"', picture)
