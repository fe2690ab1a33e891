"""Students' apps: each with a keep-alive connection, retrying blindly, and keeping account of what it was told."""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

API = "/api/v2.1"
PATIENCE = 90  # seconds within which a call must have succeeded, whatever was broken
ANSWER_SECONDS = 60  # longer than any call may take on the server
PAUSE = 0.1  # seconds between a student's saves


class Failed(AssertionError):
    """An answer that no retry mends, or no success within PATIENCE."""


class Connection:
    """One connection for one request at a time, opened when it is needed."""

    def __init__(self, port, token=""):
        self.port, self.token = port, token
        self.headers = {}
        self.reader = self.writer = None

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method, path, body=None):
        """The status, the headers (names in lower case) and the decoded answer.

        :raises OSError, EOFError: the connection was refused or broke; TimeoutError: there was no answer.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self.writer is None:
                    self.reader, self.writer = await self.open()
                self.writer.write(self.request(method, path, body))
                return await self.answer()
        except BaseException:
            self.close()
            raise

    def request(self, method, path, body=None):
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", f"Content-Length: {len(content)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.token:
            head.append(f"Authorization: JWT {self.token}")
        if content:
            head.append("Content-Type: application/json")
        return "\r\n".join([*head, "", ""]).encode() + content

    async def answer(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if headers.get("transfer-encoding") == "chunked":
            content = b"".join([chunk async for chunk in self.chunks()])
        else:
            content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        is_json = headers.get("content-type", "").startswith("application/json")
        return status, headers, json.loads(content) if is_json else content

    async def chunks(self):
        while size := int((await self.reader.readuntil(b"\r\n")).strip(), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()  # at once: a polite end over TLS would outlive the test
        self.reader = self.writer = None


@dataclass
class Tally:
    """What all students met: `errors` by what and in which part of the hour, and how long calls took, in seconds."""

    part: str = "before"
    errors: Counter = field(default_factory=Counter)
    took: list[tuple[str, float]] = field(default_factory=list)
    saves: int = 0

    def most(self, part, share=1.0):
        """The time within which this share of the part's calls were answered."""
        took = sorted(seconds for where, seconds in self.took if where == part)
        return took[int((len(took) - 1) * share)] if took else 0.0

    def failed_in(self, part):
        return {what: count for (where, what), count in self.errors.items() if where == part}


class Student:
    patient = False  # whether it waits for as long as Retry-After says

    def __init__(self, port, token, tally, seed):
        self.connection = Connection(port, token)
        self.tally, self.chance = tally, random.Random(seed)
        self.attempt = self.result = None
        self.items = []  # (id, question, type, ids of its answers)
        self.acknowledged = {}  # the last answer of each item that got a 200, by the item's id
        self.since = 0.0  # when the last call succeeded, by time.monotonic

    async def insist(self, method, path, body=None):
        """The answer, after as many tries as it takes."""
        begin = time.monotonic()
        while True:
            wait = 0
            try:
                status, headers, answer = await self.connection.ask(method, path, body)
            except (OSError, EOFError) as error:
                problem = type(error).__name__
            else:
                if status < 300:
                    self.since = time.monotonic()
                    self.tally.took.append((self.tally.part, self.since - begin))
                    return answer
                problem = f"{status} {answer}"
                if status < 500:
                    raise Failed(f"{method} {path}: {problem}")
                wait = self.patient and int(headers.get("retry-after", 0))
            self.tally.errors[self.tally.part, problem[:300]] += 1
            if time.monotonic() - begin > PATIENCE:
                raise Failed(f"{method} {path}: {problem} for {PATIENCE} seconds")
            await asyncio.sleep(wait + self.chance.uniform(0.05, 0.5))

    async def begin(self, slug):
        attempt = await self.insist("POST", f"{API}/exams/{slug}/attempts/")
        self.attempt, page = attempt["id"], 1
        while page:
            answer = await self.insist("GET", f"{API}/attempts/{self.attempt}/questions/?page={page}")
            for item in answer["results"]:
                question, answers = item["question"], [answer["id"] for answer in item["question"]["answers"]]
                # A question is named by its first answer: its own id is not told.
                self.items.append((item["id"], min(answers), question["type"], answers))
            page = answer["next"] and page + 1

    async def save(self):
        """One answer of a question at random: right, wrong or none."""
        item, _, type, answers = self.chance.choice(self.items)
        most = 1 if type == "R" else len(answers)
        selected = sorted(self.chance.sample(answers, self.chance.randint(0, most)))
        path = f"{API}/attempts/{self.attempt}/questions/{item}/"
        answer = await self.insist("PUT", path, {"selected_answers": selected})
        assert answer["selected_answers"] == selected
        self.acknowledged[item] = selected
        self.tally.saves += 1

    async def end(self):
        self.result = await self.insist("PUT", f"{API}/attempts/{self.attempt}/end/")


class Hour:
    """Students who all start, save until they are told to end, and end."""

    def __init__(self, port, tokens, slug):
        self.tally = Tally()
        self.slug = slug
        self.students = [Student(port, token, self.tally, seed) for seed, token in enumerate(tokens)]
        self.started = self.ended = 0
        self.may_save, self.is_over = asyncio.Event(), asyncio.Event()
        self.may_save.set()
        self.idle = 0
        self.tasks = []

    async def __aenter__(self):
        self.tasks = [asyncio.create_task(self.sit(student)) for student in self.students]
        return self

    async def __aexit__(self, *error):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for student in self.students:
            student.connection.close()

    async def sit(self, student):
        await student.begin(self.slug)
        self.started += 1
        while not self.is_over.is_set():
            if not self.may_save.is_set():
                self.idle += 1
                await self.may_save.wait()
                self.idle -= 1
            await student.save()
            await asyncio.sleep(PAUSE)
        await student.end()
        self.ended += 1

    async def until(self, true, what):
        """Goes on when that is true; fails at once where a student has failed."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            for task in self.tasks:
                if task.done() and not task.cancelled():
                    task.result()
            assert time.monotonic() < deadline, f"{what}; {self.tally.errors.most_common(5)}"
            await asyncio.sleep(0.02)

    async def everybody_has_saved_since(self, moment):
        await self.until(lambda: all(student.since > moment for student in self.students), "somebody cannot save")

    async def hold(self):
        """All saves are acknowledged, and none is under way, until `go_on`."""
        self.may_save.clear()
        await self.until(lambda: self.idle == len(self.students), "a save under way does not end")

    def go_on(self):
        self.may_save.set()

    async def all_end(self):
        self.is_over.set()
        self.go_on()
        await self.until(lambda: self.ended == len(self.students), "somebody cannot end")
