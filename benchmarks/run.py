"""`make bench`: each call's speed beside a bare baseline's, on one machine, in one run; see README.md."""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import redis

from benchmarks import config, machine, servers
from benchmarks.client import BadAnswer, Load, drive

CPU_AIM = 1.5  # CPU of a save, in parts of the baseline's


@dataclass
class Row:
    """One phase's figures."""

    name: str
    what: str
    load: Load
    statements: int | None = None
    transactions: int = 0
    aim: float | None = None
    bares: tuple["Row", ...] = ()  # the baseline right before and right after

    @property
    def bare_rate(self) -> float:
        return sum(row.load.rate for row in self.bares) / len(self.bares)

    @property
    def bare_cpu(self) -> float:
        return sum(row.own_cpu for row in self.bares) / len(self.bares)

    @property
    def usage(self) -> machine.Usage:
        return self.load.after.since(self.load.before)

    def cpu(self, part: str) -> float:
        """CPU milliseconds of a part of the system for one operation."""
        return getattr(self.usage, part) * 1000 / max(len(self.load.latencies), 1)

    @property
    def own_cpu(self) -> float:
        """CPU milliseconds of server, database and cache for one operation."""
        return self.cpu("server") + self.cpu("database") + self.cpu("cache")

    @property
    def others(self) -> float:
        """The share of the machine that neither the server, the database nor the client used, but somebody else."""
        used = self.usage.server + self.usage.database + self.usage.cache + self.load.client_cpu
        return max(0.0, self.usage.machine - used) / (self.load.seconds * (os.cpu_count() or 1))


class Bench:
    """A run: the stage, its servers, and what was measured."""

    def __init__(self, environment):
        from benchmarks import phases, stage

        self.environment = environment
        self.phases, self.staging = phases, stage
        self.rows: list[Row] = []
        self.bares: list[Row] = []
        self.state = None
        self.control = psycopg.connect(config.DATABASE_URL, autocommit=True)
        self.cache = redis.Redis.from_url(environment["REDIS_URL"]) if environment["REDIS_URL"] else None
        self.inprocess = None
        self.command: list[str] = []
        self.port = 0

    def build(self):
        say(f"Staging {config.STUDENTS} students …")
        self.stage = self.staging.build(config.STUDENTS)
        self.state = self.phases.EMPTY
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            if (value := self.staging.settings_shown()[name]) != "on":
                sys.exit(f"{name} is {value}: durability is not for sale.")

    def run(self, names):
        """The phases on the production server, the baseline between them: a machine's speed changes within minutes."""
        with servers.production(self.environment) as server:  # to learn its command
            self.command, self.port = server.command, server.port
        with (
            servers.production(self.environment) as server,
            servers.bare(self.environment, self.command, self.port) as bare,
        ):
            self.bares.append(self.baseline(bare))
            for name in names:
                row = self.measure(server, self.phases.ALL[name])
                self.rows.append(row)
                self.bares.append(self.baseline(bare))
                row.bares = tuple(self.bares[-2:])

    def measured(self, names):
        """The rows of the phases alone, on a server of their own."""
        with servers.production(self.environment) as server:
            self.command = server.command
            return [self.measure(server, self.phases.ALL[name]) for name in names]

    def baseline(self, server):
        return self.measure(server, self.phases.ALL["bare"], seconds=config.PHASE_SECONDS / 2)

    def measure(self, server, phase, seconds=config.PHASE_SECONDS) -> Row:
        self.state = self.phases.prepare(phase, self.stage, self.state)
        operations = phase.operations(self.stage, config.STUDENTS)
        row = Row(phase.name, phase.what, None, aim=phase.aim)
        if phase.name == "bare":
            row.statements, row.transactions = 3, 2
        else:
            self.count(phase, row)
        done = []
        keep = (lambda number, bodies: done.append(number)) if phase.name == "save" else None
        meter = machine.Meter(server.process.pid, self.control, self.cache)
        connections = server.connect(config.CLIENTS)
        try:
            row.load = drive(
                connections,
                operations,
                seconds=seconds,
                warm_up=config.WARM_UP_SECONDS,
                snapshot=meter,
                keep=keep,
            )
        except BadAnswer as error:
            sys.exit(f"{phase.name}: {error}\nThe server's log is {server.log}.")
        finally:
            for connection in connections:
                connection.close()
        if phase.name == "save":
            self.all_kept(done)
        if phase.name == "end":
            self.all_graded()
        say(
            f"{row.name:10} {row.load.rate:8.1f}/s   p50 {row.load.percentile(50) * 1000:6.1f}   "
            f"p99 {row.load.percentile(99) * 1000:6.1f} ms   CPU {row.own_cpu:6.2f} ms"
            + ("" if row.load.lasted else f"   (students used up after {row.load.seconds:.1f} s)")
        )
        return row

    def count(self, phase, row):
        """Asks a few times within this process: that the answer is right, and how many statements it takes."""
        if self.inprocess is None:
            from benchmarks.inprocess import InProcess

            self.inprocess = InProcess()
        make = phase.make(self.stage)
        for extra in range(2):  # the first also fills the cache
            answers = self.inprocess.perform(make(config.STUDENTS + extra))
        if not phase.check(self.stage, answers):
            sys.exit(f"{phase.name}: an answer is not what it should be: {str(answers)[:1000]}")
        seen = self.inprocess.statements(make(config.STUDENTS + 2))
        row.transactions = sum(text.split()[0].upper() in ("BEGIN", "COMMIT") for text in seen)
        row.statements = len(seen) - row.transactions

    def all_kept(self, numbers):
        """Every answer that was acknowledged is in the database."""
        answers = [self.phases.answer_of(self.stage, number) for number in sorted(numbers)]
        wanted = {item: [chosen] for _, item, chosen in answers}
        rows = self.control.execute(
            "SELECT id, selected_answers FROM attempts_attemptitem WHERE id = ANY(%s)", [list(wanted)]
        )
        lost = [item for item, selected in rows if selected != wanted.pop(item)]
        if lost or wanted:
            sys.exit(f"{len(lost) + len(wanted)} acknowledged answers are not in the database.")

    def all_graded(self):
        """Every ended attempt's count of right answers is that of its sheet."""
        wrong = self.control.execute(
            """SELECT count(*) FROM attempts_attempt a WHERE exam_id = %s AND state = 'Completed' AND user_id <= %s
               AND correct_count <> (
                   SELECT count(*) FROM attempts_attemptitem i JOIN exams_answer k ON k.question_id = i.question_id
                   WHERE i.attempt_id = a.id AND k.is_correct AND i.selected_answers = jsonb_build_array(k.id))""",
            [self.stage.exam.pk, self.stage.students[-1].id],
        ).fetchone()[0]
        if wrong:
            sys.exit(f"{wrong} ended attempts are not graded by their sheets.")

    # --- What it says ------------------------------------------------------------------------------------------------

    def ratio(self, row):
        """What the aim is about: the rate in parts of the baseline's; of log-in, log-ins a second and core."""
        return row.load.rate / (os.cpu_count() or 1) if row.name == "log-in" else row.load.rate / row.bare_rate

    def machine_lines(self):
        from django import get_version

        shown = machine.description() | {
            "Django": get_version(),
            "PostgreSQL": ", ".join(
                value if name == "server_version" else f"{name} {value}"
                for name, value in self.staging.settings_shown().items()
            ),
            "Cache": f"Redis {self.cache.info('server')['redis_version']}" if self.cache else "local memory",
        }
        command = " ".join(Path(part).name if os.sep in part else part for part in self.command)
        shown["Server, for the baseline too"] = f"`{command}`"
        shown["Connections, for the baseline too"] = f"`{config.CONNECTIONS}`"
        shown["Clients"] = f"{config.CLIENTS}, keep-alive, closed loop, {config.PHASE_SECONDS:g} s a phase"
        return [f"- {name}: {value}" for name, value in shown.items()]

    def table(self):
        head = [
            *("phase", "/s", "of baseline", "aim", "p50 ms", "p95 ms", "p99 ms"),
            *("CPU ms: server", "database", "cache", "of baseline", "statements", ""),
        ]
        lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 2) + " --- |"]
        rates = sorted(row.load.rate for row in self.bares)
        costs = sorted(row.own_cpu for row in self.bares)
        lines.append(
            f"| bare, {len(rates)} times | {rates[0]:.0f}–{rates[-1]:.0f} |  |  |  |  |  "
            f"| {costs[0]:.2f}–{costs[-1]:.2f} in all |  |  |  | 3 + 2 |  |"
        )
        for row in self.rows:
            ratio = self.ratio(row)
            shown_ratio = f"{ratio:.1f}/s a core" if row.name == "log-in" else f"{ratio:.2f}"
            verdict = "" if row.aim is None else "reached" if ratio >= row.aim else "**missed**"
            cells = [
                row.name,
                f"{row.load.rate:.1f}",
                shown_ratio,
                "" if row.aim is None else f"{row.aim:g}",
                *(f"{row.load.percentile(p) * 1000:.1f}" for p in (50, 95, 99)),
                *(f"{row.cpu(part):.2f}" for part in ("server", "database", "cache")),
                f"{row.own_cpu / row.bare_cpu:.2f}",
                f"{row.statements} + {row.transactions}",
                verdict,
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return lines

    def report(self):
        lines = [
            f"Measured {datetime.now(UTC):%Y-%m-%d}.",
            "",
            *self.machine_lines(),
            "",
            *self.table(),
            "",
        ]
        saves = [row for row in self.rows if row.name == "save"]
        if saves:
            part = saves[0].own_cpu / saves[0].bare_cpu
            verdict = "reached" if part <= CPU_AIM else "**missed**"
            lines.append(f"CPU of a save: {part:.2f} of the baseline's, aim {CPU_AIM} at most: {verdict}.")
        clients = max(row.load.client_cpu / row.load.seconds for row in self.rows)
        others = max(row.others for row in self.rows)
        stolen = max(row.usage.stolen / row.load.seconds for row in self.rows)
        lines += [
            f"The client used at most {clients:.0%} of one core, other processes and the system at most {others:.0%} "
            f"of the machine, the hypervisor took at most {stolen:.0%} of a core.",
        ]
        short = [row.name for row in self.rows if not row.load.lasted]
        if short:
            lines.append(f"The students were used up before the time was: {', '.join(short)}.")
        return "\n".join(lines) + "\n"


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    environment = config.apply()
    bench = Bench(environment)
    names = os.environ.get("PHASES", "").replace(",", " ").split() or bench.phases.STANDARD
    if unknown := [name for name in names if name not in bench.phases.ALL or name == "bare"]:
        sys.exit(f"PHASES may name {', '.join(bench.phases.ALL)}, not {', '.join(unknown)}.")
    with ExitStack() as stack:
        stack.callback(bench.control.close)
        bench.build()
        bench.run(names)
        report = bench.report()
    print(report)
    whole = names == bench.phases.STANDARD and config.PHASE_SECONDS >= 10 and config.STUDENTS >= 4000
    file = (Path(__file__).parent if whole else config.FOLDER) / "RESULTS.md"
    file.write_text(f"# Results\n\n{report}")
    say(f"Written to {file}.")


if __name__ == "__main__":
    main()
