"""Imports go one way: testpress <- accounts <- exams <- attempts; catalog -> accounts, exams; posts -> accounts."""

import ast

import pytest

from tests.project.server import ROOT

MAY_IMPORT = {
    "testpress": set(),
    "accounts": {"testpress"},
    "exams": {"testpress", "accounts"},
    "attempts": {"testpress", "accounts", "exams"},
    "catalog": {"testpress", "accounts", "exams"},
    "posts": {"testpress", "accounts"},
}
# These put together what several apps hold: the project's own settings and URL tree, pages, commands and the demo.
FREE = {"settings.py", "urls.py", "views.py", "admin.py", "management", "demo", "migrations"}


def modules(app):
    return [
        file for file in sorted((ROOT / app).rglob("*.py")) if not FREE.intersection(file.relative_to(ROOT / app).parts)
    ]


def imported(file):
    """The first names of all that a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import, which this test does not follow."
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_models_serializers_and_rules_import_one_way(app):
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[app] - {app}

    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules(app)
        for name in imported(file)
        if name in forbidden
    ]

    assert modules(app)
    assert wrong == []


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_no_module_of_the_project_imports_the_tests(app):
    wrong = [file for file in (ROOT / app).rglob("*.py") if {"tests", "pytest"}.intersection(imported(file))]

    assert wrong == []
