"""The shared cache: Redis, whose loss costs speed and never an answer."""

import functools
import logging
import time

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 5


class Outage:
    """Whether Redis failed a moment ago: then nobody of this process waits for it again until the pause is over."""

    def __init__(self):
        self.until = 0.0

    def is_on(self):
        return time.monotonic() < self.until

    def begin(self, error):
        """Logged once a pause, whatever the number of calls that fail in it."""
        if not self.is_on():
            logger.warning("The cache is out of reach (%s); going on without it.", type(error).__name__)
        self.until = time.monotonic() + PAUSE_SECONDS


outage = Outage()


def _forgiving(name, without):
    """The client's method `name`, answering `without(*its arguments)` where Redis is down, slow or holds rubbish."""
    method = getattr(RedisCacheClient, name)

    @functools.wraps(method)
    def forgiving(self, *args):
        if outage.is_on():
            return without(*args)
        try:
            return method(self, *args)
        except (RedisError, OSError) as error:
            outage.begin(error)
            return without(*args)

    return forgiving


class ForgivingClient(RedisCacheClient):
    """Without Redis every key is missing, and what is set is forgotten."""

    get = _forgiving("get", lambda key, default: default)
    get_many = _forgiving("get_many", lambda keys: {})
    has_key = _forgiving("has_key", lambda key: False)
    set = _forgiving("set", lambda key, value, timeout: None)
    set_many = _forgiving("set_many", lambda data, timeout: None)
    add = _forgiving("add", lambda key, value, timeout: True)
    touch = _forgiving("touch", lambda key, timeout: False)
    delete = _forgiving("delete", lambda key: False)
    delete_many = _forgiving("delete_many", lambda keys: None)
    clear = _forgiving("clear", lambda: False)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache with short timeouts, and errors that are logged and not raised."""

    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = ForgivingClient
        self._options = {
            "socket_timeout": TIMEOUT_SECONDS,
            "socket_connect_timeout": TIMEOUT_SECONDS,
            **self._options,
        }
