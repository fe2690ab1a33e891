"""`make bench-large`: the same calls on a small and on a large table of attempts, and the plans of their statements."""

import os
import re
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import config
from benchmarks.run import Bench, say

CROWD = int(os.environ.get("CROWD") or 100_000)
# Finished attempts of each of the crowd at each exam: one at the exam that is measured, ten in all.
NUMBERS = (1, 3, 2, 2, 2)
ROUNDS = 2
PHASES = ["list", "attempt", "attempts", "start", "save", "end"]
# How many times slower a call may be on the large table; the last two not at all, but for what is noise.
AIMS = {"list": 1.3, "attempt": 1.3, "attempts": 1.3, "end": 1.3, "start": 1.05, "save": 1.05}
README = Path(__file__).with_name("README.md")
MARKS = "<!-- plans, written by make bench-large -->", "<!-- end of the plans -->"
LONGEST_SHOWN = 1500  # characters of a statement


@dataclass(frozen=True)
class Plan:
    """A statement of one request of a phase, and how the database carries it out."""

    phase: str
    statement: str
    text: str

    @property
    def took(self) -> float:
        """Milliseconds."""
        found = re.search(r"Execution Time: ([\d.]+) ms", self.text)
        return float(found[1]) if found else 0.0

    def __str__(self):
        statement = textwrap.shorten(self.statement, LONGEST_SHOWN, placeholder=" …")
        shown = textwrap.fill(statement, 116, break_long_words=False, break_on_hyphens=False)
        return f"```\n{shown}\n\n{self.text}\n```\n"


def plans(bench, names):
    """EXPLAIN (ANALYZE, BUFFERS) of what one request of each phase sends."""
    found = []
    with psycopg.connect(config.DATABASE_URL) as connection:
        for name in names:
            phase = bench.phases.ALL[name]
            bench.state = bench.phases.prepare(phase, bench.stage, bench.state)
            operation = phase.make(bench.stage)
            bench.inprocess.perform(operation(config.STUDENTS + 10))
            for statement in bench.inprocess.statements(operation(config.STUDENTS + 11)):
                if statement.split()[0].upper() in ("SELECT", "UPDATE", "INSERT", "DELETE", "WITH"):
                    found.append(Plan(name, statement, _explained(connection, statement)))
    return found


def _explained(connection, statement):
    """The plan; of two goes the second, which plans and reads nothing for the first time."""
    for _ in range(2):
        try:
            rows = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}").fetchall()
        except psycopg.Error as error:  # such as an INSERT of what is there by now
            return f"not explained: {str(error).splitlines()[0]}"
        finally:
            connection.rollback()
    return "\n".join(line for (line,) in rows)


def costliest(found):
    """Of each phase the statement that takes longest: the one that decides how the call's cost grows."""
    for name in dict.fromkeys(plan.phase for plan in found):
        plan = max((plan for plan in found if plan.phase == name), key=lambda plan: plan.took)
        yield f"**{name}**: {plan.took:.2f} ms\n\n{plan}"


def table(small, large):
    lines = [
        "| phase | small /s | large /s | times slower | aim | CPU ms small | large | times | |",
        "| --- |" + " ---: |" * 7 + " --- |",
    ]
    for before, after in zip(small, large, strict=True):
        slower, dearer, aim = before.load.rate / after.load.rate, after.own_cpu / before.own_cpu, AIMS[before.name]
        lines.append(
            f"| {before.name} | {before.load.rate:.1f} | {after.load.rate:.1f} | {slower:.2f} | {aim:g} "
            f"| {before.own_cpu:.2f} | {after.own_cpu:.2f} | {dearer:.2f} "
            f"| {'reached' if slower <= aim else '**missed**'} |"
        )
    return lines


def measured(bench, names):
    """Of each phase the quicker of its goes: a shared machine slows down for moments, but never speeds up."""
    rounds = [bench.measured(names) for _ in range(ROUNDS)]
    return [max(goes, key=lambda row: row.load.rate) for goes in zip(*rounds, strict=True)]


def main():
    bench = Bench(config.apply())
    names = os.environ.get("PHASES", "").replace(",", " ").split() or PHASES
    if unknown := [name for name in names if name not in AIMS]:
        sys.exit(f"PHASES may name {', '.join(AIMS)}, not {', '.join(unknown)}.")
    bench.build()
    small = measured(bench, names)
    say(f"Loading {CROWD} users with {CROWD * sum(NUMBERS)} finished attempts …")
    bench.staging.clear(bench.stage)
    bench.state = bench.phases.EMPTY
    begin = time.monotonic()
    bench.staging.crowd(bench.stage, CROWD, NUMBERS)
    say(f"… in {time.monotonic() - begin:.0f} s")
    large = measured(bench, names)
    report = "\n".join(
        [
            *bench.machine_lines(),
            "",
            f"Large: {CROWD * NUMBERS[0]:,} finished attempts in the exam, {CROWD * sum(NUMBERS):,} in the table. "
            f"Of {ROUNDS} goes at each phase the quicker counts.",
            "",
            *table(small, large),
            "",
        ]
    )
    print(report)
    whole = names == PHASES and config.PHASE_SECONDS >= 10 and CROWD >= 100_000
    file = (Path(__file__).parent if whole else config.FOLDER) / "GROWTH.md"
    file.write_text(f"# How the cost grows\n\n{report}")
    found = plans(bench, names)
    explained = config.FOLDER / "plans.md"
    explained.write_text("\n".join(f"## {plan.phase}\n\n{plan}" for plan in found))
    if whole:
        text = README.read_text()
        before, after = text.partition(MARKS[0])[0], text.partition(MARKS[1])[2]
        README.write_text(before + MARKS[0] + "\n\n" + "\n".join(costliest(found)) + "\n" + MARKS[1] + after)
    say(f"Written to {file}; the plans of all statements are in {explained}.")
    bench.control.close()


if __name__ == "__main__":
    main()
