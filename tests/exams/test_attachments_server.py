"""The signed API of a server that really runs: big, cut and repeated requests, and the examples of README.md."""

import functools
import http.client
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.exams.signed import BODY_403, BOUNDARY, multipart, nonces, sign
from tests.project.server import ROOT, children_of, environment, eventually, manage

MIB = 1024 * 1024
CHUNK = b"x" * MIB
# What the server may need for an upload, beside what it needs anyway.
MOST_MEMORY = 24 * MIB

reads_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")


@functools.cache
def credential(database):
    """The key and the secret of a credential of the demo's superuser, made once for all tests."""
    made = manage("create_api_credential", "admin", folder=tempfile.gettempdir(), DATABASE_URL=database)
    assert made.returncode == 0, made.stderr
    return re.fullmatch(r"key: (\S+)\nsecret: (\S+)\n", made.stdout).groups()


class System:
    """Another system, with a credential of the demo's superuser on a running server."""

    def __init__(self, server):
        self.server = server
        self.key, self.secret = credential(server.environment["DATABASE_URL"])
        self.exam = 1
        self.path = f"/api/v3/exams/{self.exam}/attachments"

    def signed(self, **parameters):
        named = {"exam_id": self.exam, "nonce": next(nonces), "timestamp": int(time.time() * 1000)} | parameters
        return named | {"signature": sign(self.secret, named)}

    def connection(self):
        return http.client.HTTPConnection(urlsplit(self.server.address).netloc, timeout=60)

    def headers(self, **more):
        return {"Authorization": f"Token token={self.key}", "Accept": "application/vnd.procwise.v3"} | more

    def send(self, method, path, body=None, **headers):
        """The status and the decoded answer."""
        connection = self.connection()
        connection.request(method, path, body, self.headers(**headers))
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    def call(self, method, pk=None, **parameters):
        """A call whose parameters are all in a JSON body."""
        path, inside = (self.path, {}) if pk is None else (f"{self.path}/{pk}", {"id": pk})
        body = json.dumps(self.signed(**inside, **parameters))
        return self.send(method, path, body, **{"Content-Type": "application/json"})

    def upload(self, megabytes, *, chunked=False, name="big.bin"):
        """A file of so many MiB, sent piece by piece."""
        whole = multipart(self.signed().items(), [("document", name, b"@", "application/octet-stream")])
        before, after = whole.split(b"\r\n\r\n@\r\n")
        before, after = before + b"\r\n\r\n", b"\r\n" + after

        def pieces():
            yield before
            for _ in range(megabytes):
                yield CHUNK
            yield after

        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        if not chunked:
            headers["Content-Length"] = str(len(before) + megabytes * MIB + len(after))
        return self.send("POST", self.path, pieces(), **headers)

    def files(self):
        root = self.server.folder / "private"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def system(demo_server):
    system = System(demo_server)
    yield system
    for item in system.call("GET")[1]["attachments"]:
        assert system.call("DELETE", item["id"]) == (200, {})
    assert system.files() == []


def processes_of(server):
    pids = [server.process.pid]
    for pid in pids:
        pids += children_of(pid)
    return pids


def forget_peak_memory(server):
    """What other tests needed does not count (proc_pid_clear_refs(5))."""
    for pid in processes_of(server):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_memory(server):
    """The most memory, in bytes, that any process of the server has held since."""
    found = [re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in processes_of(server)]
    return max(int(match[1]) for match in found if match) * 1024


@reads_proc
@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_of_100_mib_needs_no_memory(chunked, system, demo_server):
    system.upload(1)
    forget_peak_memory(demo_server)
    before = peak_memory(demo_server)

    status, answer = system.upload(100, chunked=chunked)

    assert (status, answer["attachment"]["document_file_size"]) == (201, 100 * MIB)
    assert peak_memory(demo_server) - before < MOST_MEMORY
    assert sum((demo_server.folder / "private" / name).stat().st_size for name in system.files()) == 101 * MIB


@reads_proc
@pytest.mark.parametrize("megabytes", [101, 120])
def test_a_file_over_100_mib_is_a_413_and_not_kept(megabytes, system, demo_server):
    forget_peak_memory(demo_server)
    before = peak_memory(demo_server)

    assert system.upload(megabytes) == (413, {"error": "The request's body is too large."})
    assert system.files() == []
    assert peak_memory(demo_server) - before < MOST_MEMORY


def raw(system, body, length, *, key=None):
    """Opens a POST that announces `length` bytes and sends `body`; the socket."""
    address = urlsplit(system.server.address)
    opened = socket.create_connection((address.hostname, address.port), timeout=30)
    head = (
        f"POST {system.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Token token={key or system.key}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
    )
    opened.sendall(head.encode() + body)
    return opened


@pytest.mark.parametrize("kept_open", [False, True])
def test_an_upload_cut_in_the_middle_leaves_nothing(kept_open, system):
    body = multipart(system.signed().items(), [("document", "a.bin", b"x" * 5 * MIB, None)])

    opened = raw(system, body[: 3 * MIB], len(body))
    eventually(lambda: len(system.files()) == 1)
    if kept_open:
        opened.shutdown(socket.SHUT_WR)
        eventually(lambda: system.files() == [])
    opened.close()

    eventually(lambda: system.files() == [])
    assert system.call("GET")[1] == {"attachments": []}


def test_an_unknown_key_is_refused_while_the_body_has_not_come(system):
    opened = raw(system, b"", 50 * MIB, key="unknown")

    answer = http.client.HTTPResponse(opened)
    answer.begin()
    assert (answer.status, json.loads(answer.read())) == (403, BODY_403)
    opened.close()


@reads_proc
def test_a_killed_upload_is_found_by_sweep_files(system, demo_server):
    body = multipart(system.signed().items(), [("document", "a.bin", b"x" * 5 * MIB, None)])
    opened = raw(system, body[: 3 * MIB], len(body))
    eventually(lambda: len(system.files()) == 1)
    demo_server.kill_workers()
    opened.close()
    [left] = system.files()
    assert left.startswith("incoming/")

    swept = manage("sweep_files", "--hours", "0", folder=demo_server.folder, **demo_server.variables)

    assert swept.returncode == 0, swept.stderr
    assert system.files() == []
    demo_server.wait_until_ready()


def test_a_request_cannot_be_repeated_after_a_restart(system, demo_server):
    body = json.dumps(system.signed())
    headers = {"Content-Type": "application/json"}
    assert system.send("GET", system.path, body, **headers) == (200, {"attachments": []})

    demo_server.restart()

    assert system.send("GET", system.path, body, **headers) == (403, BODY_403)
    assert system.call("GET") == (200, {"attachments": []})


# --- README.md -------------------------------------------------------------------------------------------------------


def example(language):
    """The README's example of signing in that language."""
    section = (ROOT / "README.md").read_text().partition("## Attach files from another system")[2]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


@pytest.mark.parametrize(("language", "command"), [("python", [sys.executable, "-c"]), ("sh", ["sh", "-euc"])])
def test_the_examples_of_the_readme_work(language, command, system, demo_server, tmp_path):
    (tmp_path / "formulas.pdf").write_bytes(b"%PDF formulas")
    variables = {"SERVER": demo_server.address, "KEY": system.key, "SECRET": system.secret, "EXAM": str(system.exam)}

    done = subprocess.run(
        [*command, example(language)],
        cwd=tmp_path,
        env=environment(demo_server.folder) | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    [attachment] = system.call("GET")[1]["attachments"]
    assert (attachment["document_file_name"], attachment["document_file_size"]) == ("formulas.pdf", 13)
    assert '"document_file_name":"formulas.pdf"' in done.stdout.replace(" ", "").replace("'", '"')
