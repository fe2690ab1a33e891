"""What the machine is, and what its processes have used: read from /proc, so on Linux only."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """A process's parent and its CPU seconds, its own and those of children it has waited for; None: it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    own, waited = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return int(fields[1]), own / TICKS, waited / TICKS


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    parents = {int(p.name): s[0] for p in Path("/proc").iterdir() if p.name.isdigit() and (s := _stat(p.name))}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_of_tree(pid: int) -> float:
    """CPU seconds of a process and all below it, the dead ones too."""
    return sum(sum(s[1:]) for one in tree(pid) if (s := _stat(one)))


def cpu_of(pids) -> float:
    """CPU seconds of the processes themselves."""
    return sum(s[1] for pid in pids if (s := _stat(pid)))


def busy() -> float:
    """CPU seconds that all processes of the machine have used."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICKS


def stolen() -> float:
    """CPU seconds that the hypervisor gave to others while this machine wanted them."""
    return int(Path("/proc/stat").read_text().split("\n")[0].split()[8]) / TICKS


@dataclass(frozen=True)
class Usage:
    """CPU seconds used so far."""

    server: float
    database: float
    cache: float
    machine: float
    stolen: float

    def since(self, earlier: "Usage") -> "Usage":
        return Usage(*(getattr(self, name) - getattr(earlier, name) for name in self.__dataclass_fields__))


@dataclass
class Meter:
    """Reads the usage of a server, and of the database and cache where they run on this machine."""

    server: int
    database: object  # a psycopg connection
    cache: object = None  # a redis.Redis
    own: set[int] = field(init=False)

    def __post_init__(self):
        self.own = {self.database.info.backend_pid}

    def __call__(self) -> Usage:
        used = self.cache.info("cpu") if self.cache else {}
        return Usage(
            cpu_of_tree(self.server),
            cpu_of(self._backends()),
            used.get("used_cpu_user", 0) + used.get("used_cpu_sys", 0),
            busy(),
            stolen(),
        )

    def _backends(self):
        """The database's server processes, with those that write for them."""
        rows = self.database.execute(
            """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
               OR backend_type IN ('walwriter', 'checkpointer', 'background writer')"""
        )
        return {pid for (pid,) in rows} - self.own


def description() -> dict[str, str]:
    """The machine in a few words."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")), "?")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return {
        "CPU": f"{model}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }
