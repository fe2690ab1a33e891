"""The walk of all endpoints is complete."""

from tests.contract.stage import CALLS, endpoints


def test_every_endpoint_is_walked():
    """An endpoint of the URL conf that has no call on the stage would escape the other tests here."""
    assert endpoints() == sorted(CALLS)
