"""Starting and stopping the servers that are measured."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import config, machine
from benchmarks.client import Connection, request

START_SECONDS = 90
APPLICATION, BARE = "testpress.wsgi:application", "benchmarks.bare.wsgi:application"


class Server:
    """A server process under a name, stopped at the end of a `with` block."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], probe: str):
        self.name = name
        self.port = free_port()
        self.log = config.FOLDER / f"{name}.log"
        command = [part.replace("{port}", str(self.port)) for part in command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  (this project's own commands)
                command,
                cwd=config.ROOT,
                env=os.environ | environment | {"PORT": str(self.port)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.probe = request("GET", probe)

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")
            try:
                connection = Connection(self.port)
                connection.ask(self.probe)
                connection.close()
            except OSError:
                time.sleep(0.2)
            else:
                time.sleep(1)  # the other workers load, too
                return
        sys.exit(f"{self.name} does not answer:\n{self.log.read_text()[-3000:]}")

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)

    @property
    def command(self) -> list[str]:
        """Its command as it runs."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_text().rstrip("\0").split("\0")

    def connect(self, number: int) -> list[Connection]:
        """So many connections, shared out evenly among the server's processes.

        Which process accepts a connection is chance; a few of them on two processes are often three against five, and
        the same server then shows another speed at each run.
        """
        workers = machine.tree(self.process.pid)
        kept: list[Connection] = []
        counts: dict[int, int] = {}
        most = -(-number // config.WORKERS)
        spare = []
        for _ in range(number * 50):
            connection = Connection(self.port)
            connection.ask(self.probe)
            worker = _accepted_by(connection, self.port, workers)
            if worker is None or counts.get(worker, 0) < most:
                counts[worker] = counts.get(worker, 0) + 1
                kept.append(connection)
            else:
                spare.append(connection)
            if len(kept) == number:
                break
        for connection in spare:
            connection.close()
        if len(kept) < number:
            sys.exit(f"{self.name}: {number} connections cannot be shared out evenly: {counts}.")
        return kept


def _accepted_by(connection, port, workers):
    """The id of the server process that holds the other end of a connection."""
    here, there = f":{port:04X}", f":{connection.port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(here) and fields[2].endswith(there):
            wanted = f"socket:[{fields[9]}]"
            break
    else:
        return None
    for pid in workers:
        try:
            if any(os.readlink(file) == wanted for file in Path(f"/proc/{pid}/fd").iterdir()):
                return pid
        except OSError:
            continue
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def production(environment) -> Server:
    """The server as `make serve` starts it, on the benchmark's database."""
    command = [sys.executable, "manage.py", "serve", "--prepare"]
    return Server("server", command, environment, "/livez")


def bare(environment, like: list[str], port: int) -> Server:
    """The baseline under the very command of the production server, `like`, which listened on `port`."""
    swapped = {APPLICATION: BARE, str(port): "{port}"}
    command = [swapped.get(part, part) for part in like]
    if BARE not in command:
        sys.exit(f"The production server's command has no {APPLICATION}: {like}")
    return Server("bare", command, environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings"}, "/")
