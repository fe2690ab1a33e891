"""What `tests/project/fuzz.py` tells schemathesis beyond the schema; schemathesis imports this module."""

import hashlib
import hmac
import json
import os
import time
import urllib.request
import uuid
from functools import cache

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from testpress import demo

SLUGS = {"exams": demo.GENERAL_STUDIES, "products": demo.PRODUCTS[0], "posts": demo.POSTS[0]}


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what the API takes though the schema has no words for it: it is no proof that bad data pass.

    An empty query parameter (`?page=`) counts as one left out, and of a repeated one the last counts. In a profile `""`
    clears any field, also a number or a date. A multipart body that is noise between its boundaries is an empty form.
    """
    if case.media_type == "multipart/form-data" and not isinstance(case.body, dict):
        return False
    query = (case.query or {}).values()
    if any(value in ("", None) or isinstance(value, (list, dict)) for value in query):
        return False
    clears = "/users/" in context.operation.path and isinstance(case.body, dict) and "" in case.body.values()
    return not clears


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every second case is about something that is there: made-up names and numbers would only see 404.

    Of the signed API good cases are signed, for an exam that is there; the others are met as by a stranger.
    """
    if context.operation.path.startswith("/api/v3/"):
        if case.meta is None or case.meta.generation.mode.is_positive:
            sign(case)
    elif case.path_parameters and hash(case.id) % 2 == 0 and is_not_about_its_path(case):
        real = real_parameters(context.operation.path.partition("/v2.1/")[2])
        case.path_parameters.update({name: str(value) for name, value in real.items()})


def is_not_about_its_path(case):
    """Whether the case is all good, or bad in its body: not there to show that its path is refused."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        return True
    body = case.meta.components.get(ParameterLocation.BODY)
    return body is not None and body.mode.is_negative


def real_parameters(path):
    resource = path.partition("/")[0]
    if resource in SLUGS:
        return {"slug": SLUGS[resource]}
    if resource == "users":
        return {"id": call("GET", "me/")["id"]}
    if path.endswith("/review/"):
        return {"id": completed_attempt()}
    attempt = call("POST", f"exams/{demo.GENERAL_STUDIES}/attempts/")["id"]  # the running one, or a new one
    return {"id": attempt, "item": item_of(attempt)} if "{item}" in path else {"id": attempt}


@schemathesis.auth(refresh_interval=None)
class Authorization:
    """The student's token, or for the signed API the key of a member of staff."""

    def get(self, case, context):
        signed = context.operation.path.startswith("/api/v3/")
        return f"Token token={os.environ['FUZZ_KEY']}" if signed else f"JWT {os.environ['FUZZ_TOKEN']}"

    def set(self, case, data, context):
        case.headers["Authorization"] = data


def sign(case):
    """Uploads stay unsigned: the signature would stand in the made-up body, which schemathesis compares afterwards."""
    if case.method == "POST":
        return
    case.path_parameters["exam_id"] = str(exam_number())
    case.query |= {"nonce": str(uuid.uuid4().int)[:18], "timestamp": int(time.time() * 1000)}
    parameters = case.path_parameters | case.query
    text = "?".join(f"{name}={parameters[name]}" for name in sorted(parameters.keys() - {"signature"}))
    case.query["signature"] = hmac.new(os.environ["FUZZ_SECRET"].encode(), text.encode(), hashlib.sha256).hexdigest()


@cache
def exam_number():
    return call("GET", f"exams/{demo.GENERAL_STUDIES}/")["id"]


@schemathesis.deserializer("application/vnd.procwise.v3")
def read_json(context, response):
    return json.loads(response.content)


@cache
def completed_attempt():
    return next(attempt["id"] for attempt in call("GET", "attempts/")["results"] if attempt["state"] == "Completed")


@cache
def item_of(attempt):
    return call("GET", f"attempts/{attempt}/questions/")["results"][0]["id"]


def call(method, path):
    request = urllib.request.Request(
        f"{os.environ['FUZZ_ADDRESS']}/api/v2.1/{path}",
        method=method,
        headers={"Authorization": f"JWT {os.environ['FUZZ_TOKEN']}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)
