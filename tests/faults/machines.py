"""What is broken on purpose: a PostgreSQL, a Redis and server processes that belong to one test run alone."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.project.server import ROOT, Server, arguments_of, children_of, environment, free_port

WORKERS = 2
SECONDS = 60  # beyond it something does not start


def wait_until(true, what):
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Postgres:
    """A cluster of its own in a scratch folder, as durable as the default one."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        if os.getuid() == 0:  # which PostgreSQL refuses to run as
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-D", self.folder / "data")
        self.start()

    def run(self, program, *arguments):
        own = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        # To a file: the server keeps what it inherits open for as long as it runs, and a pipe would wait for that.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*own, binary(program), *map(str, arguments)],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=SECONDS * 2,
            )
            output.seek(0)
            assert done.returncode == 0, output.read()

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self.run("pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self):
        """In immediate mode: no backend ends its work, and the next start recovers from the log."""
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def restart(self):
        self.stop()
        self.start()

    def connect(self):
        return psycopg.connect(self.url, autocommit=True)

    def remove(self):
        with contextlib.suppress(AssertionError):  # it is stopped already
            self.stop()
        shutil.rmtree(self.folder)


def binary(program):
    """PostgreSQL's programs; Debian keeps most of them out of the path."""
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{program}")]
    return max(found, default="") or shutil.which(program) or program


class Redis:
    def __init__(self):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hang(self):
        """Connections are taken and never answered."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Site:
    """The exam server as it is run: `manage.py serve` with two processes, on a PostgreSQL and a Redis of its own."""

    def __init__(self, **variables):
        self.folder = Path(tempfile.mkdtemp(prefix="faults-"))
        self.postgres, self.redis = Postgres(), Redis()
        self.port = free_port()
        self.variables = {
            "PORT": str(self.port),
            "DEMO": "0",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "WEB_CONCURRENCY": str(WORKERS),
            "TRUST_PROXY": "1",
            **variables,
        }
        self.server = None
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def start(self):
        self.server = Server(self.folder, self.variables)
        self.server.wait_until_ready()
        wait_until(lambda: self.listeners() == WORKERS, "a worker does not start")

    def restart(self):
        """As an upgrade does: told to stop, waited for, started again."""
        self.server.stop()
        self.start()

    def workers(self):
        """The ids of the processes that answer requests."""
        return [pid for pid in children_of(self.server.process.pid) if "granian" in arguments_of(pid)]

    def kill_a_worker(self):
        """And waits until another has taken its place."""
        victim = self.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in self.workers() and self.listeners() == WORKERS, "no new process")

    def listeners(self):
        """How many sockets listen on the server's port: each worker has one of its own once it is ready."""
        rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] == "0A" for row in rows)

    def kill_all(self):
        """The server process and its workers together, as a power cut would; then it is started again."""
        for pid in [self.server.process.pid, *self.workers()]:
            os.kill(pid, signal.SIGKILL)
        self.server.process.wait()
        self.start()

    def run(self, module, *arguments):
        """Runs a module of this folder with the server's configuration; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(self.folder, **self.variables),
            capture_output=True,
            text=True,
            timeout=SECONDS * 2,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def beside(self, application):
        """Another server process on the same database and cache, which runs another WSGI application; its port."""
        port = free_port()
        command = f"-m granian --interface wsgi --http 1 --port {port} --workers 1 --blocking-threads 8 {application}"
        process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=ROOT,
            env=environment(self.folder, **self.variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return port, process

    def log(self):
        return self.server.log.read_text()

    def remove(self):
        if self.server:
            self.server.stop()
        self.redis.go_on()
        self.redis.kill()
        self.postgres.remove()
        shutil.rmtree(self.folder)
