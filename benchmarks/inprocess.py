"""Requests to the application within this process: to count a request's statements, and to profile it."""

import cProfile
import io
import json
import pstats
import re
import signal
import time
from collections import Counter

from django.db import connection

from benchmarks.client import BadAnswer

LOGGED = ("statement: ", "execute ")  # how the server's log lines of statements begin
PARAMETER = re.compile(r"(\$\d+) = ('(?:[^']|'')*'|NULL)")


class InProcess:
    """Calls the WSGI application with the bytes that a client would send."""

    def __init__(self):
        from testpress.wsgi import application

        self.application = application

    def ask(self, request: bytes) -> bytes:
        """The body of the answer.

        :raises BadAnswer: it is no 2xx.
        """
        head, _, body = request.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        method, target, _ = line.split(" ")
        path, _, query = target.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for text in fields:
            name, _, value = text.partition(": ")
            name = name.upper().replace("-", "_")
            environ[name if name.startswith("CONTENT_") else f"HTTP_{name}"] = value
        found = []
        answer = self.application(environ, lambda status, headers, exc_info=None: found.append(status))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if not found[0].startswith("2"):
            raise BadAnswer(f"{found[0]} {content[:500]!r} to {request[:200]!r}")
        return content

    def perform(self, requests) -> list[dict]:
        """The decoded answers to one operation's requests."""
        return [json.loads(self.ask(request)) for request in requests]

    def statements(self, requests) -> list[str]:
        """What the database server was sent for one operation, as it logs it; BEGIN and COMMIT are among it."""
        connection.ensure_connection()
        raw, seen = connection.connection, []

        def note(diagnostic):
            text = diagnostic.message_primary or ""
            if text.startswith(LOGGED):
                seen.append(_filled(text.partition(": ")[2], diagnostic.message_detail or ""))

        raw.add_notice_handler(note)
        raw.execute("SET client_min_messages = log")
        raw.execute("SET log_statement = 'all'")
        seen.clear()
        try:
            self.perform(requests)
            found = list(seen)
        finally:
            raw.remove_notice_handler(note)
            raw.execute("RESET log_statement")
            raw.execute("RESET client_min_messages")
        return found

    def profile(self, operations, most=50) -> str:
        """Where the time of the operations goes, by function, as cProfile counts it: exact counts, inflated times."""
        profiler, out = cProfile.Profile(), io.StringIO()
        for requests in operations:
            profiler.enable()
            for request in requests:
                self.ask(request)
            profiler.disable()
        stats = pstats.Stats(profiler, stream=out).strip_dirs()
        for order in ("cumulative", "tottime"):
            stats.sort_stats(order).print_stats(most)
        return out.getvalue()

    def sample(self, operations, most=70) -> str:
        """Where the CPU time of the operations goes, by samples of the stack: what cProfile inflates shows true here.

        A call of a C function counts for the Python function that called it.
        """
        own, with_calls, samples, last = Counter(), Counter(), 0, 0.0

        def note(signum, frame):
            # Python hears of a signal only when a C function has returned: a sample weighs what has passed since the
            # last one, or a password's hash would hardly show.
            nonlocal samples, last
            now = time.process_time()
            weight, last, samples = now - last, now, samples + 1
            own[_name(frame)] += weight
            seen = set()
            while frame is not None:
                seen.add(_name(frame))
                frame = frame.f_back
            for name in seen:
                with_calls[name] += weight

        before = signal.signal(signal.SIGPROF, note)
        used = last = time.process_time()
        count = 0
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
        try:
            for count, requests in enumerate(operations, 1):  # noqa: B007  (the last is their number)
                for request in requests:
                    self.ask(request)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        each = (time.process_time() - used) * 1000 / count
        lines = [f"{count} operations, {each:.3f} ms of this process's CPU each ({samples} samples)"]
        for title, found in (("with what it calls", with_calls), ("by itself", own)):
            lines += ["", f"{'ms':>8}  {'share':>6}  function, {title}"]
            for name, seconds in found.most_common(most):
                share = seconds / (sum(own.values()) or 1)
                lines.append(f"{each * share:8.3f}  {share:6.1%}  {name}")
        return "\n".join(lines) + "\n"


def _filled(statement, detail):
    """A statement with its parameters, which the server logs beside it as `$1 = 'text', $2 = NULL`, in their places."""
    values = dict(PARAMETER.findall(detail))
    return re.sub(r"\$\d+", lambda place: values.get(place[0], place[0]), statement)


def _name(frame):
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-3:])}:{code.co_firstlineno} {code.co_qualname}"
