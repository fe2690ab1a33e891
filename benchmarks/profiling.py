"""`make profile PHASE=save`: where the time of a phase's requests goes, by function, and the statements of one."""

import os
import sys

from benchmarks import config


def main():
    config.apply()
    from benchmarks import phases, stage
    from benchmarks.inprocess import InProcess

    names = (os.environ.get("PHASE") or "save").replace(",", " ").split()
    number = int(os.environ.get("REQUESTS") or 300)
    if unknown := [name for name in names if name not in phases.ALL or name == "bare"]:
        sys.exit(f"PHASE may name {', '.join(phases.ALL)}, not {', '.join(unknown)}.")
    staged = stage.build(number)
    application = InProcess()
    state = phases.EMPTY
    for name in names:
        phase = phases.ALL[name]
        state = phases.prepare(phase, staged, state)
        operation = phase.make(staged)
        for extra in range(3):
            application.perform(operation(number + extra))
        statements = application.statements(operation(number + 3))
        sampled = application.sample(operation(n) for n in range(number // 2))
        counted = application.profile(operation(n) for n in range(number // 2, number))
        print(f"=== {name}: {phase.what}\n\n{len(statements)} statements:\n")
        print("\n".join(f"  {statement[:300]}" for statement in statements), "\n")
        print(sampled)
        print(counted, flush=True)


if __name__ == "__main__":
    main()
