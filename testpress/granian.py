"""`python -m testpress.granian`: granian, with processes that die replaced however often they do.

By itself granian ends altogether where a process dies within seconds after it has replaced another: a loop of crashes,
it thinks. `serve` has loaded the application just before, so it can be; and one process that is killed twice (by a
system that is short of memory, say) shall not take those with it that work.
"""

from granian import cli
from granian.server import Server


class PersistentServer(Server):
    def _respawn_workers(self, *args, **kwargs):
        super()._respawn_workers(*args, **kwargs)
        # When each was replaced: from that granian tells a loop.
        self.respawned_wrks.clear()


if __name__ == "__main__":
    cli.Server = PersistentServer
    cli.entrypoint()
