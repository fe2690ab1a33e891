"""A lean HTTP/1.1 client over raw sockets, and the closed loop that drives a server with several of them.

Nothing is parsed beyond the status and the length: on the machine that is measured, every microsecond of the client is
one the server does not have. `Load.client_cpu` says how many there were.
"""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

TIMEOUT = 30  # seconds; beyond it a request has failed
LONGEST_HEAD = 64 * 1024


class BadAnswer(Exception):
    """An answer that is no success, or no answer at all; fails the run."""


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int, host: str = "127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = self.socket.getsockname()[1]

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self.socket.sendall(request)
        return self._answer()

    def _answer(self):
        data = self.socket.recv(65536)
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > LONGEST_HEAD:
                raise BadAnswer("a head without an end")
            more = self.socket.recv(65536)
            if not more:
                raise BadAnswer("the server closed the connection")
            data += more
        head = data[:end].lower()
        status = int(head[9:12])
        if b"\r\ntransfer-encoding: chunked" in head:
            return status, self._chunks(data[end + 4 :])
        length = body_length(head)
        parts, missing = [data[end + 4 :]], length - (len(data) - end - 4)
        while missing > 0:
            more = self.socket.recv(min(missing, 1 << 20))
            if not more:
                raise BadAnswer("the server closed the connection within a body")
            parts.append(more)
            missing -= len(more)
        if b"\r\nconnection: close" in head:
            raise BadAnswer("the server ends keep-alive")
        return status, b"".join(parts)

    def _chunks(self, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._more()
            size, _, data = data.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            while len(data) < length + 2:
                data += self._more()
            body, data = body + data[:length], data[length + 2 :]
            if not length:
                return body

    def _more(self):
        if not (more := self.socket.recv(65536)):
            raise BadAnswer("the server closed the connection within a body")
        return more

    def close(self):
        self.socket.close()


def body_length(head: bytes) -> int:
    """The Content-Length of a head in lower case."""
    place = head.find(b"\r\ncontent-length:")
    if place < 0:
        raise BadAnswer("an answer without Content-Length")
    return int(head[place + 17 :].split(b"\r\n", 1)[0])


def request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """The bytes of a request as an app sends it."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
    if token:
        head += f"Authorization: JWT {token}\r\n"
    if body or method in ("POST", "PUT"):
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


# The n-th operation of a phase: the requests to send one after the other, or None where there are no more.
Operations = Callable[[int], Sequence[bytes] | None]


@dataclass
class Load:
    """What one closed loop measured: `latencies` in seconds, sorted; `done` counts operations since its beginning."""

    seconds: float
    latencies: list[float]
    client_cpu: float
    first: int
    done: int
    before: object = None
    after: object = None
    lasted: bool = True

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, per_cent: float) -> float:
        """Seconds that so many per cent of the operations took at most."""
        if not self.latencies:
            return float("nan")
        return self.latencies[min(int(len(self.latencies) * per_cent / 100), len(self.latencies) - 1)]


@dataclass
class _Shared:
    operations: Operations
    numbers: itertools.count
    stop: threading.Event = field(default_factory=threading.Event)
    used_up: threading.Event = field(default_factory=threading.Event)
    failure: BaseException | None = None


def drive(
    connections: Sequence[Connection],
    operations: Operations,
    *,
    seconds: float,
    warm_up: float,
    first: int = 0,
    snapshot: Callable[[], object] = lambda: None,
    keep: Callable[[int, Sequence[bytes]], None] | None = None,
) -> Load:
    """Closed loop: each connection sends its next operation when it has the answer to its last.

    Counted are the operations that end within `seconds` after the warm-up, or before they are used up.

    :raises BadAnswer: any answer that is not a 2xx.
    """
    shared = _Shared(operations, itertools.count(first))
    records: list[list[tuple[float, float]]] = [[] for _ in connections]
    threads = [
        threading.Thread(target=_loop, args=(shared, connection, record, keep), daemon=True)
        for connection, record in zip(connections, records, strict=True)
    ]
    for thread in threads:
        thread.start()
    shared.used_up.wait(warm_up)
    before, cpu, begin = snapshot(), time.process_time(), time.perf_counter()
    shared.used_up.wait(seconds)
    lasted = not shared.used_up.is_set()
    end, client_cpu, after = time.perf_counter(), time.process_time() - cpu, snapshot()
    shared.stop.set()
    for thread in threads:
        thread.join(TIMEOUT + 5)
    if shared.failure is not None:
        raise BadAnswer(str(shared.failure)) from shared.failure
    done = sum(map(len, records))
    latencies = sorted(took for record in records for finished, took in record if begin <= finished <= end)
    return Load(end - begin, latencies, client_cpu, first, done, before, after, lasted)


def _loop(shared, connection, record, keep):
    clock = time.perf_counter
    try:
        while not shared.stop.is_set():
            number = next(shared.numbers)
            requests = shared.operations(number)
            if requests is None:
                shared.used_up.set()
                return
            begin = clock()
            bodies = []
            for sent in requests:
                status, body = connection.ask(sent)
                if not 200 <= status < 300:
                    raise BadAnswer(f"{status} {body[:500]!r} to {sent[:200]!r}")
                bodies.append(body)
            end = clock()
            record.append((end, end - begin))
            if keep is not None:
                keep(number, bodies)
    except Exception as error:
        shared.failure = shared.failure or error
        shared.used_up.set()
        shared.stop.set()
