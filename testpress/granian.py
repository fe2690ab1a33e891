"""`python -m testpress.granian`: granian, with processes that die replaced however often they do.

By itself granian ends altogether where a process dies within seconds after it has replaced another: a loop of crashes,
it thinks. `serve` has loaded the application just before, so it can be; and one process that is killed twice (by a
system that is short of memory, say) shall not take those with it that work.
"""

import os
import signal

from granian import cli
from granian.server import Server


class PersistentServer(Server):
    def _respawn_workers(self, *args, **kwargs):
        super()._respawn_workers(*args, **kwargs)
        # When each was replaced: from that granian tells a loop.
        self.respawned_wrks.clear()


def end_when_told():
    """A process that still loads would keep the handler of the one it comes from, and not hear that it shall stop."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    os.register_at_fork(after_in_child=end_when_told)
    cli.Server = PersistentServer
    cli.entrypoint()
