"""Servers that really run: `manage.py` as a process of its own, with a database, files and a port of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What a shell may have set for some other server, or the tests for themselves.
CONFIGURATION = """SECRET_KEY DEBUG ALLOWED_HOSTS DATABASE_URL REDIS_URL MEDIA_ROOT PRIVATE_ROOT HOST PORT
WEB_CONCURRENCY HTTPS TOKEN_LIFETIME TRUST_PROXY DEMO AWS_STORAGE_BUCKET_NAME AWS_S3_ENDPOINT_URL AWS_S3_CUSTOM_DOMAIN
AWS_S3_REGION_NAME AWS_PRIVATE_BUCKET_NAME ATTACHMENT_LIMIT CREDENTIAL_KEYS""".split()
# Where a server keeps what outlives it.
STORES = ["DATABASE_URL", "MEDIA_ROOT", "PRIVATE_ROOT"]
START_SECONDS = 90


def environment(folder, **variables):
    """The environment of a process that keeps all it writes below `folder`, with `variables` set."""
    inherited = {name: value for name, value in os.environ.items() if name not in CONFIGURATION}
    own = {
        "DJANGO_SETTINGS_MODULE": "testpress.settings",
        "SECRET_KEY": "only-for-the-tests-" + "y" * 32,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "MEDIA_ROOT": f"{folder}/media",
        "PRIVATE_ROOT": f"{folder}/private",
        "WEB_CONCURRENCY": "1",
        # Dozens of processes start: what the first has compiled is there for the next.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return {**inherited, **own, **variables}


def manage(*arguments, folder, **variables):
    """Runs `manage.py` to its end; what it wrote is in `stdout` and `stderr` of the result."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(*, beside=None, **variables):
    """A server that `manage.py serve --prepare` made, ready to answer; with the demo institute unless `DEMO="0"`.

    Gives its address, its process, the file it logs to, and its folder. It starts in half the time `beside` another,
    with whose database and files it works, so that nothing is to be prepared.
    """
    shared = {name: beside.environment[name] for name in STORES} if beside else {}
    with tempfile.TemporaryDirectory(prefix="server-") as folder:
        named = {"PORT": str(free_port()), "DEMO": "1", **shared, **variables}
        server = Server(Path(folder), named, prepare=not beside)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


class Server:
    def __init__(self, folder, variables, *, prepare=True):
        self.folder, self.log = folder, folder / "log"
        self.variables = variables
        self.environment = environment(folder, **variables)
        self.address = f"http://127.0.0.1:{variables['PORT']}"
        self.log.write_text("")
        self.start(prepare=prepare)

    def start(self, *, prepare):
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", *(["--prepare"] if prepare else [])],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def restart(self):
        self.stop()
        self.start(prepare=False)
        self.wait_until_ready()

    def workers(self):
        """The ids of the processes that answer, by Linux's /proc."""
        return [pid for pid in children_of(self.process.pid) if "granian" in arguments_of(pid)]

    def kill_workers(self):
        """They are replaced by themselves."""
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{self.address}/healthz", timeout=5).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"The server did not start:\n{self.log.read_text()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def eventually(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children_of(pid):
    """The ids of the processes that a process has started, by Linux's /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # a process that has ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                yield int(stat.parent.name)


def arguments_of(pid):
    """The command of a process; "" where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
