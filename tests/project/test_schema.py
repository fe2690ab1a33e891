"""The OpenAPI schema, and the page that shows it."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "schema.json"
    call_command("spectacular", format="openapi-json", validate=True, fail_on_warn=True, file=str(file))
    return json.loads(file.read_text())


def operations(schema):
    return [
        (f"{method} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


def test_the_schema_is_made_without_a_warning(schema):
    assert schema["info"]["title"] == "Exam server"


def test_every_path_is_one_that_the_server_answers(schema):
    assert [path for path in schema["paths"] if not re.match(r"/api/(v2\.1|v3)/[a-z].*/$", path)] == []


def test_every_operation_has_one_of_the_listed_tags(schema):
    tags = [tag["name"] for tag in schema["tags"]]

    assert tags[:6] == ["token", "users", "exams", "attempts", "products", "posts"]
    assert [name for name, operation in operations(schema) if operation.get("tags", [])[:1][0] not in tags] == []


def test_every_operation_says_in_words_what_it_does(schema):
    assert [
        name for name, operation in operations(schema) if not (operation.get("summary") or operation.get("description"))
    ] == []


def test_every_operation_but_the_log_in_asks_for_the_token(schema):
    open_to_all = [name for name, operation in operations(schema) if {} in operation.get("security", [{}])]

    assert open_to_all == ["post /api/v2.1/auth-token/"]
    assert schema["components"]["securitySchemes"]["token"]["name"] == "Authorization"


@pytest.mark.parametrize("path", ["/api/schema", "/api/schema/"])
def test_the_schema_can_be_fetched_by_anybody(path, client, db):
    response = client.get(path)

    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/vnd.oai.openapi")


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/"])
def test_the_docs_page_loads_nothing_from_elsewhere(path, client, db):
    response = client.get(path)

    page = response.content.decode()
    assert response.status_code == 200
    assert "http://" not in page
    assert "https://" not in page
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
        assert f"/static/drf_spectacular_sidecar/swagger-ui-dist/{name}" in page
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{name}")
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "<script>" not in page


def test_the_docs_page_adds_the_prefix_to_a_pasted_token(client, db):
    script = client.get("/api/docs/?script").content.decode()

    assert '/\\s/.test(token) ? token : "JWT " + token' in script


def test_the_front_door_leads_to_the_docs(client, db):
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/api/docs/")


def test_a_browser_finds_no_icon_and_asks_no_more(client, db):
    response = client.get("/favicon.ico")

    assert (response.status_code, response["Cache-Control"]) == (204, "max-age=86400, public")
