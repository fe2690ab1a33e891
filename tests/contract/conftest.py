import pytest

from tests.conftest import NOW
from tests.contract.stage import make_stage


@pytest.fixture
def stage(db, at):
    """The stage of `tests/contract/stage.py`, with the clock standing still at NOW."""
    at(NOW)
    return make_stage()
