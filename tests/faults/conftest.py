"""One site for all fault tests: its server, databases and students. FAULTS_SECONDS says how long they save around each
fault.
"""

import itertools
import json
import os
import resource

import pytest

from tests.faults.machines import Site

STUDENTS = 200
EXAMS = 20
SECONDS = float(os.environ.get("FAULTS_SECONDS") or 20)


@pytest.fixture(scope="session")
def site():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # of each connection one; the server inherits it
    site = Site()
    yield site
    site.remove()


@pytest.fixture(scope="session")
def stage(site):
    stage = json.loads(site.run("tests.faults.stage", str(STUDENTS), str(EXAMS)))
    stage["key"] = {int(question): correct for question, correct in stage["key"].items()}
    stage["tokens"] = [student["token"] for student in stage["students"]]
    stage["fresh"] = itertools.cycle(stage["exams"])
    return stage


@pytest.fixture
def exam(stage):
    """An exam that nobody has begun."""
    return next(stage["fresh"])


@pytest.fixture
def database(site):
    """Connects anew each time: the old connection may have died with the server."""
    return site.postgres.connect
