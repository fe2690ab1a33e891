"""Paths answer with and without their final slash; addresses in answers are the client's own and lead somewhere."""

import os
import runpy
from urllib.parse import urlsplit

import pytest

from testpress import settings as project
from tests.conftest import Api
from tests.contract.shape import differences
from tests.contract.stage import CALLS, send
from tests.contract.test_who_may import MATRIX, VISITORS, visit

READS = [endpoint for endpoint in CALLS if endpoint.startswith("GET ")]


@pytest.mark.parametrize("endpoint", CALLS)
def test_path_without_its_final_slash(stage, endpoint):
    """The same answer, and no redirect, which would drop a PUT's body; with a query too, and where it is refused."""
    for name, (status, _) in zip(VISITORS, MATRIX[endpoint], strict=True):
        plain, *others = (visit(stage, name, endpoint, written=path) for path in ("{}/", "{}", "{}?a=b", "{}/?a=b"))
        for other in (plain, *others):
            assert other.status_code == status
            if status == 201 or endpoint == "POST auth-token":
                # A token differs each time it is given; a new attempt may have the next id.
                assert differences(plain.json(), other.json(), {}) == []
            else:
                assert other.content == plain.content


# --- Addresses in answers ---------------------------------------------------------------------------------------------


def addresses(value):
    """All texts that are addresses, wherever they are."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from addresses(inner)
    elif isinstance(value, str) and value.startswith(("http:", "https:", "/")):
        yield value


def addresses_of(response):
    return {address for address in addresses(response.json()) if "/api/" in address}


@pytest.fixture
def several_pages(monkeypatch):
    """Pages of two, so that there is a next one."""
    monkeypatch.setattr("testpress.pagination.EnvelopePagination.page_size", 2)


@pytest.mark.usefixtures("several_pages")
@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("host", ["localhost", "exams.example.com:8080"])
def test_addresses_are_the_clients_own(stage, settings, endpoint, host):
    """Absolute, with the host and the port that the client asked, and a final slash before any query."""
    settings.ALLOWED_HOSTS = [host.partition(":")[0]]
    found = addresses_of(visit(stage, "asha", endpoint, HTTP_HOST=host))
    for address in found:
        assert address.startswith(f"http://{host}/api/v2.1/")
        assert urlsplit(address).path.endswith("/")
    if endpoint not in ("POST auth-token", "PUT users/<>", "PATCH users/<>", "GET exams/<>/attachments"):
        assert found


@pytest.mark.usefixtures("several_pages")
@pytest.mark.parametrize("endpoint", READS)
def test_addresses_lead_somewhere(stage, endpoint):
    """Whatever an answer points to is there; only a running attempt has no review yet, a completed one no questions."""
    api = Api(stage.asha)
    for address in addresses_of(visit(stage, "asha", endpoint)):
        response = send(api, "get", address.removeprefix("http://localhost/api/v2.1/"))
        if response.status_code != 200:
            assert response.json()["code"] in ("attempt_completed", "attempt_not_completed"), address


def test_addresses_of_an_attempt_take_what_clients_append(stage):
    """Clients write `start/`, `heartbeat/` and `end/` after an attempt's `url`."""
    api = Api(stage.asha)
    attempt = api.post(f"exams/{stage.exam.slug}/attempts/")
    for verb in ("start/", "heartbeat/", "end/"):
        assert api.put(attempt["url"] + verb)["id"] == attempt["id"]
    assert api.get(attempt["review_url"])["count"] == 3


@pytest.mark.usefixtures("several_pages")
def test_next_and_previous_keep_the_query(stage):
    """Every other parameter stays; `page` is replaced."""
    api = Api(stage.asha)

    first = api.get("exams/?course=tnpsc&q=&x=%26%C3%A9&page=1")
    second = api.get(first["next"])
    third = api.get(second["next"])

    root = "http://localhost/api/v2.1/exams/?course=tnpsc"
    assert first["next"].startswith(root)
    assert "page=2" in first["next"]
    assert "x=%26%C3%A9" in first["next"]
    assert first["previous"] is None
    assert second["previous"].startswith(root)
    assert "page=3" in second["next"]
    assert third["next"] is None
    ids = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert len(set(ids)) == len(ids) == first["count"] == 5


# --- Behind a proxy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in READS if endpoint != "GET exams/<>/attachments"])
def test_forwarded_scheme_is_believed_only_when_configured(stage, settings, endpoint):
    """Whoever connects directly could otherwise choose the scheme."""
    forwarded = {"HTTP_X_FORWARDED_PROTO": "https"}
    assert not hasattr(project, "SECURE_PROXY_SSL_HEADER")
    assert {urlsplit(found).scheme for found in addresses_of(visit(stage, "asha", endpoint, **forwarded))} == {"http"}

    settings.SECURE_PROXY_SSL_HEADER = settings_when_trusting("1")["SECURE_PROXY_SSL_HEADER"]

    assert {urlsplit(found).scheme for found in addresses_of(visit(stage, "asha", endpoint, **forwarded))} == {"https"}
    assert {urlsplit(found).scheme for found in addresses_of(visit(stage, "asha", endpoint))} == {"http"}


def test_forwarded_host_is_never_believed(stage):
    """The Host header is what a proxy has to pass on."""
    found = addresses_of(visit(stage, "asha", "GET exams", HTTP_X_FORWARDED_HOST="evil.example"))

    assert {urlsplit(address).netloc for address in found} == {"localhost"}


def settings_when_trusting(value):
    """The project's settings when TRUST_PROXY has this value."""
    before = os.environ.get("TRUST_PROXY", "")
    os.environ["TRUST_PROXY"] = value
    try:
        return runpy.run_path(project.__file__)
    finally:
        os.environ["TRUST_PROXY"] = before


@pytest.mark.parametrize("value", ["", "0"])
def test_proxy_is_not_trusted_unless_configured(value):
    assert "SECURE_PROXY_SSL_HEADER" not in settings_when_trusting(value)
