"""`manage.py serve`: what stops it from starting, what it says, and how it stops."""

import contextlib
import json
import os
import re
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.project.server import eventually, free_port, manage, running


def listens(server):
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(server.variables["PORT"]))).close()
        return True
    return False


def get(address):
    with urllib.request.urlopen(address, timeout=30) as response:
        return response.read()


def test_it_says_where_it_is_and_who_can_log_in(demo_server):
    assert demo_server.first_words.splitlines() == [
        "Bringing the database up to date …",
        f"Exam server   {demo_server.address}/",
        f"API docs      {demo_server.address}/api/docs/",
        f"Admin site    {demo_server.address}/admin/",
        "Demo log-ins  student testpress, staff admin; password demo; `manage.py remove_demo` takes them out",
        "Ctrl-C stops it.",
    ]


def test_pages_styles_and_pictures_are_served_without_debug(demo_server):
    page = get(f"{demo_server.address}/api/docs/").decode()
    styles = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    assert b".swagger-ui" in get(demo_server.address + styles)
    assert b"Log in" in get(f"{demo_server.address}/admin/")


def test_a_port_that_is_taken_stops_it(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.HOST, settings.PORT = "127.0.0.1", taken.getsockname()[1]

        with pytest.raises(CommandError) as refused:
            call_command("serve")

    assert str(refused.value) == f"Cannot listen on HOST 127.0.0.1, PORT {settings.PORT}: address already in use."


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("no-such-name.invalid", "HOST no-such-name.invalid is no name this machine can look up: "),
        ("203.0.113.7", "Cannot listen on HOST 203.0.113.7, PORT 8000: cannot assign requested address."),
    ],
)
def test_a_host_that_cannot_be_used_stops_it(host, sentence, settings, capsys):
    settings.HOST, settings.PORT = host, 8000

    with pytest.raises(CommandError) as refused:
        call_command("serve")

    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "url", ["postgres://me:hunter2@127.0.0.1:1/exams", "sqlite:////proc/exams.sqlite3"], ids=["PostgreSQL", "SQLite"]
)
def test_a_database_that_cannot_be_reached_stops_it_with_one_sentence(url, tmp_path):
    done = manage("serve", folder=tmp_path, PORT=str(free_port()), DATABASE_URL=url)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: The database of DATABASE_URL cannot be reached: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_a_database_without_its_tables_stops_it(tmp_path):
    done = manage("serve", folder=tmp_path, PORT=str(free_port()))

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database lacks ")


@pytest.fixture(scope="module")
def open_server():
    """A server that listens to other machines, and whose Redis does not answer."""
    with running(HOST="0.0.0.0", REDIS_URL="redis://:hunter2@127.0.0.1:1/0") as server:
        yield server


def test_a_redis_that_does_not_answer_is_told_and_does_not_stop_it(open_server):
    log = open_server.log.read_text()

    assert "REDIS_URL cannot be reached, so that every process is on its own and slower: Error 111 connecting" in log
    assert "hunter2" not in log


def test_the_demo_is_not_loaded_where_other_machines_reach_it(open_server):
    log, port = open_server.log.read_text(), open_server.variables["PORT"]

    assert "The demo institute is not loaded: everybody knows its passwords" in log
    assert f"Exam server   http://localhost:{port}/  and this machine's other addresses\n" in log
    assert "Demo log-ins" not in log


def test_requests_under_way_are_answered_before_it_stops(demo_server):
    body = json.dumps({"username": "testpress", "password": "demo"}).encode()
    with (
        running(beside=demo_server) as server,
        socket.create_connection(("127.0.0.1", int(server.variables["PORT"]))) as client,
    ):
        client.settimeout(30)
        client.sendall(
            b"POST /api/v2.1/auth-token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert client.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"  # now somebody waits for the body
        client.sendall(body[:10])
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not listens(server))
        client.sendall(body[10:])

        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert server.process.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the server's processes in Linux's /proc")
def test_a_server_process_that_dies_is_replaced_each_time(demo_server):
    """Also where the next dies soon, which granian by itself would take for a reason to end."""
    for _ in range(3):
        [worker] = demo_server.workers()
        os.kill(worker, signal.SIGKILL)
        demo_server.wait_until_ready()

    assert demo_server.process.poll() is None


def test_it_stops_at_once_while_its_processes_load(demo_server):
    """A process that loads has no requests under way that it would have to finish.

    One that was forked in the very moment of the signal does not hear it, and is ended when the time for requests is
    over; that is rare enough not to happen three times.
    """
    assert any(stops_at_once(demo_server) for _ in range(3))


def loads(pid):
    """Past its fork, and not yet serving: nothing of its own, or of the process it comes from, catches SIGTERM."""
    caught = int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())[1], 16)
    return not caught & 1 << signal.SIGTERM - 1


def stops_at_once(demo_server):
    with running(beside=demo_server, WEB_CONCURRENCY="2") as server:
        server.kill_workers()
        eventually(lambda: any(loads(pid) for pid in server.workers()))
        server.process.terminate()
        told = time.monotonic()
        server.process.wait(timeout=60)
        return time.monotonic() - told < 20  # half of what requests would have
