from copy import deepcopy

import pytest

from tests.conftest import NOW
from tests.contract.stage import standing


@pytest.fixture(scope="module")
def built_stage(django_db_setup, django_db_blocker):
    with standing(django_db_blocker) as stage:
        yield stage


@pytest.fixture
def stage(built_stage, db, at):
    """The stage of `tests/contract/stage.py`, with the clock standing still at NOW."""
    at(NOW)
    return deepcopy(built_stage)
