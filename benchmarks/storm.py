"""`make storm N=1000`: the hour everybody starts, in a few minutes, on this machine.

N students log in, list the exams, start, read the paper, answer a question every 45 s or so, send a heartbeat each
minute, and end; one in twenty loses the connection within a save and comes back. README.md says how to read it.
"""

import asyncio
import contextlib
import json
import os
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import psycopg

from benchmarks import config, machine, servers
from benchmarks.client import body_length, request

MINUTES = float(os.environ.get("STORM_MINUTES") or 10)  # in which all log in
STEADY_MINUTES = float(os.environ.get("STEADY_MINUTES") or 1)  # with everybody sitting, before the end
END_SHARE = 0.2  # of MINUTES, in which all end: two of ten
SAVE_EVERY, HEARTBEAT_EVERY = 45, 60  # seconds
DROPPED = 0.05  # of the students lose their connection once
TRIES = 5
ANSWER_SECONDS = 30  # beyond it there is no answer
AIM = 0.5  # seconds that 99 in 100 saves may take
KINDS = ["log-in", "list", "start", "questions", "save", "heartbeat", "resume", "end"]
API = "/api/v2.1"


class Failed(Exception):
    """An answer that is no success."""


@dataclass
class Record:
    """What all students met."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter = field(default_factory=Counter)
    reconnects: int = 0
    drops: int = 0
    # The last answer acknowledged of each item.
    acknowledged: dict[int, list[int]] = field(default_factory=dict)
    # The answer to each attempt's end.
    results: dict[int, dict] = field(default_factory=dict)


class Student:
    """One student's app: a keep-alive connection, opened again where the server or the network has closed it."""

    def __init__(self, port, username, record, chance):
        self.port, self.username, self.record, self.chance = port, username, record, chance
        self.token = ""
        self.reader = self.writer = None
        self.leaving = asyncio.Event()
        self.lock = asyncio.Lock()  # an app sends one request at a time over its connection

    async def ask(self, kind, method, path, body=None):
        """The decoded answer. A connection that broke is opened again and the request repeated as it was."""
        sent = request(method, f"{API}/{path}", self.token, json.dumps(body).encode() if body is not None else b"")
        async with self.lock:
            begin = time.perf_counter()
            for attempt in range(TRIES):
                try:
                    status, content = await asyncio.wait_for(self._exchange(sent), ANSWER_SECONDS)
                    break
                except (OSError, EOFError, TimeoutError) as error:
                    # The server may close what has been idle: then the very next try succeeds, and nothing has failed.
                    if not (attempt == 0 and isinstance(error, (ConnectionError, EOFError))):
                        self.record.errors[f"{kind}: {type(error).__name__}"] += 1
                    self.disconnect()
                    await asyncio.sleep(0.2 * 2**attempt * self.chance.random() if attempt else 0)
            else:
                raise Failed(f"{kind}: no answer")
            self.record.took[kind].append(time.perf_counter() - begin)
        if not 200 <= status < 300:
            self.record.errors[f"{kind}: {status} {content[:120]!r}"] += 1
            raise Failed(f"{kind}: {status}")
        return json.loads(content)

    async def _exchange(self, sent):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
            self.record.reconnects += 1
        self.writer.write(sent)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        return int(head[9:12]), await self.reader.readexactly(body_length(head))

    def disconnect(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    # --- What a student does -----------------------------------------------------------------------------------------

    async def sit(self, exam, password, begin, end):
        """From logging in at `begin` to ending at `end`, moments of the loop's clock."""
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(begin - clock())
        log_in = {"username": self.username, "password": password}
        self.token = (await self.ask("log-in", "POST", "auth-token/", log_in))["token"]
        await asyncio.sleep(self.chance.uniform(0.5, 3))
        await self.ask("list", "GET", "exams/")
        await asyncio.sleep(self.chance.uniform(0.5, 5))
        self.attempt = (await self.ask("start", "POST", f"exams/{exam}/attempts/"))["id"]
        items = await self.paper()
        drop_at = self.chance.uniform(clock(), end) if self.chance.random() < DROPPED else None
        beats = asyncio.create_task(self.beat(end))
        try:
            # The first answer comes after anything up to a whole turn: all began at different moments anyway.
            await asyncio.sleep(min(self.chance.uniform(2, SAVE_EVERY), end - clock()))
            while clock() < end:
                if drop_at is not None and clock() >= drop_at:
                    drop_at = None
                    await self.lose_connection(items)
                else:
                    await self.save(*self.next_answer(items))
                pause = self.chance.uniform(SAVE_EVERY * 2 / 3, SAVE_EVERY * 4 / 3)
                await asyncio.sleep(max(0, min(pause, end - clock())))
        finally:
            self.leaving.set()  # a heartbeat under way gets its answer before the connection carries anything else
            await asyncio.gather(beats, return_exceptions=True)
        self.record.results[self.attempt] = await self.ask("end", "PUT", f"attempts/{self.attempt}/end/")
        self.disconnect()

    async def paper(self):
        """The items of the whole paper, each with the ids of its answers."""
        items, page = [], 1
        while True:
            path = f"attempts/{self.attempt}/questions/" + (f"?page={page}" if page > 1 else "")
            answer = await self.ask("questions", "GET", path)
            for item in answer["results"]:
                items.append((item["id"], [choice["id"] for choice in item["question"]["answers"]]))
            if not answer["next"]:
                return items
            page += 1

    def next_answer(self, items):
        item, choices = self.chance.choice(items)
        return item, [self.chance.choice(choices)]

    async def save(self, item, selected):
        path = f"attempts/{self.attempt}/questions/{item}/"
        await self.ask("save", "PUT", path, {"selected_answers": selected, "review": False})
        self.record.acknowledged[item] = selected

    async def beat(self, end):
        clock = asyncio.get_running_loop().time
        pause = self.chance.uniform(1, HEARTBEAT_EVERY)
        while clock() + pause < end:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), pause)
            if self.leaving.is_set():
                return
            await self.ask("heartbeat", "PUT", f"attempts/{self.attempt}/heartbeat/")
            pause = HEARTBEAT_EVERY

    async def lose_connection(self, items):
        """Gone within a save, its answer unread; back after a while, and the same save again."""
        item, selected = self.next_answer(items)
        async with self.lock:
            self.record.drops += 1
            if self.writer is not None:
                body = json.dumps({"selected_answers": selected, "review": False}).encode()
                path = f"{API}/attempts/{self.attempt}/questions/{item}/"
                self.writer.write(request("PUT", path, self.token, body))
                await asyncio.sleep(self.chance.choice([0, 0.002, 0.01]))
                self.disconnect()
            await asyncio.sleep(self.chance.uniform(3, 15))
        await self.ask("resume", "PUT", f"attempts/{self.attempt}/start/")
        await self.paper()
        await self.save(item, selected)


async def storm(port, students, exam, password, record, seed=1):
    """All students, each at their own times; bounded by the last end and the time that answers may take."""
    clock = asyncio.get_running_loop().time
    chance = random.Random(seed)  # noqa: S311  (made-up behaviour, the same at each run)
    opening, minutes = clock() + 1, MINUTES * 60
    all_in = opening + minutes + STEADY_MINUTES * 60
    tasks = []
    for username in students:
        student = Student(port, username, record, random.Random(chance.random()))  # noqa: S311
        begin = opening + chance.uniform(0, minutes)
        end = all_in + chance.uniform(0, END_SHARE * minutes)
        tasks.append(asyncio.create_task(_sit(student, exam, password, begin, end)))
    limit = all_in + END_SHARE * minutes + TRIES * ANSWER_SECONDS - clock()
    _, late = await asyncio.wait(tasks, timeout=limit)
    for task in late:
        record.errors["a student who never ended"] += 1
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _sit(student, exam, password, begin, end):
    try:
        await student.sit(exam, password, begin, end)
    except Failed as error:
        record = student.record
        if not any(key.startswith(str(error).split(":")[0]) for key in record.errors):
            record.errors[str(error)] += 1
    finally:
        student.disconnect()


def percentile(values, per_cent):
    return values[min(int(len(values) * per_cent / 100), len(values) - 1)]


def report(number, record, usage, seconds, client_cpu, problems):
    """The table of one run, and whether its saves were quick and nothing failed."""
    print(f"\n## {number} students in {seconds / 60:.1f} minutes\n")
    print("| kind | number | p50 ms | p95 ms | p99 ms | slowest ms |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        if values := sorted(record.took[kind]):
            cells = [f"{percentile(values, p) * 1000:.0f}" for p in (50, 95, 99, 100)]
            print(f"| {kind} | {len(values)} | {' | '.join(cells)} |")
    cores = os.cpu_count() or 1
    print(
        f"\nCPU: server {usage.server / seconds:.2f}, database {usage.database / seconds:.2f}, load generator "
        f"{client_cpu / seconds:.2f}, all {usage.machine / seconds:.2f} of {cores} cores. "
        f"{record.reconnects} connections opened, {record.drops} lost on purpose. "
        f"{len(record.acknowledged)} answers acknowledged, {len(record.results)} attempts ended."
    )
    saves = sorted(record.took["save"])
    slow = not saves or percentile(saves, 99) >= AIM
    for error, count in record.errors.most_common(10):
        print(f"- {count} × {error}")
    for problem in problems:
        print(f"- {problem}")
    good = not (slow or record.errors or problems)
    print(
        f"\n{'Held' if good else 'Not held'}: p99 of saves {'not ' * slow}under {AIM * 1000:.0f} ms, "
        f"{sum(record.errors.values())} errors.",
        flush=True,
    )
    return good


def check(control, exam, number, record):
    """What must be true afterwards, and is not: every acknowledged answer kept and graded, one ended attempt each."""
    problems = []
    kept = dict(
        control.execute(
            "SELECT id, selected_answers FROM attempts_attemptitem WHERE id = ANY(%s)", [list(record.acknowledged)]
        ).fetchall()
    )
    if lost := sum(kept.get(item) != selected for item, selected in record.acknowledged.items()):
        problems.append(f"{lost} acknowledged answers are LOST")
    rights = dict(
        control.execute(
            """SELECT i.attempt_id, count(*) FROM attempts_attemptitem i JOIN exams_answer k USING (question_id)
               WHERE i.attempt_id = ANY(%s) AND k.is_correct AND i.selected_answers = jsonb_build_array(k.id)
               GROUP BY i.attempt_id""",
            [list(record.results)],
        ).fetchall()
    )
    if running := sum(result["state"] != "Completed" for result in record.results.values()):
        problems.append(f"{running} attempts were answered as running when they were ended")
    if wrong := sum(result["correct_count"] != rights.get(pk, 0) for pk, result in record.results.items()):
        problems.append(f"{wrong} attempts are not graded by their sheets")
    ended, students = control.execute(
        """SELECT count(*) FILTER (WHERE a.state = 'Completed'), count(DISTINCT a.user_id) FROM attempts_attempt a
           JOIN accounts_user u ON u.id = a.user_id WHERE exam_id = %s AND u.username LIKE 'student%%'""",
        [exam],
    ).fetchone()
    if ended != number or students != number:
        problems.append(f"{ended} attempts of {students} students are completed, not {number} of {number}")
    return problems


def run(number, environment):
    from benchmarks import stage

    print(f"Staging {number} students …", file=sys.stderr, flush=True)
    staged = stage.build(number)
    names = [student.username for student in staged.students[:number]]
    record = Record()
    with (
        servers.production(environment) as server,
        psycopg.connect(config.DATABASE_URL, autocommit=True) as control,
    ):
        meter = machine.Meter(server.process.pid, control)
        before, cpu, begin = meter(), time.process_time(), time.perf_counter()
        asyncio.run(storm(server.port, names, staged.exam.slug, stage.PASSWORD, record))
        seconds, client_cpu, usage = time.perf_counter() - begin, time.process_time() - cpu, meter().since(before)
        problems = check(control, staged.exam.pk, number, record)
    return report(number, record, usage, seconds, client_cpu, problems)


def main():
    numbers = [int(part) for part in (os.environ.get("N") or "1000").replace(",", " ").split()]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the servers started here inherit it
    if most != resource.RLIM_INFINITY and max(numbers) + 200 > most:
        sys.exit(f"{max(numbers)} connections need more open files than {most}: raise `ulimit -n`.")
    environment = config.apply()
    reached = 0
    for place, number in enumerate(sorted(numbers)):
        if place:
            from django.db import connection

            connection.close()
            config.make_database()
        if not run(number, environment):
            break
        reached = number
    print(f"\nN = {reached}: the most students tried at which everything held.")
    return 0 if reached == max(numbers) else 1


if __name__ == "__main__":
    sys.exit(main())
