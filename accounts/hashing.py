"""Who checks a password when: hashing one costs 20 ms of a processor, and whoever saves an answer must not wait for it.

In each server process one log-in hashes at a time. A few more wait in line for their turn, without a connection to the
database; whoever finds the line full is sent away for a moment. So some threads are always free for everything else.
"""

import secrets
import threading
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from testpress.exceptions import Busy

FREE_THREADS = 3


class Line:
    """The log-ins of one process: at most `places` are in line, and of those one has its turn."""

    def __init__(self, places: int):
        self._places = threading.Semaphore(places)
        self._turn = threading.Lock()

    @contextmanager
    def place(self):
        """A place in line, for all of a log-in.

        :raises Busy: the line is full; nothing was waited for.
        """
        if not self._places.acquire(blocking=False):
            # Spread, so that those sent away together do not come back together.
            raise Busy(wait=1 + secrets.randbelow(3))
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self):
        """Within it, nobody else of this process hashes. Waits for it, holding no connection."""
        if not self._turn.acquire(blocking=False):
            if not connection.in_atomic_block:
                connection.close()  # back into the pool
            self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()


line = Line(settings.THREADS - FREE_THREADS)
