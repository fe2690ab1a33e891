"""`manage.py serve`: from checked configuration to the running server, which takes this process's place."""

import io
import os
import resource
import socket
import sys

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis, RedisError

from accounts.models import User
from testpress import demo
from testpress.checks import is_loopback

# Seconds that requests have to finish in once the server is told to stop; longer than any of them may take.
STOP_TIMEOUT = 40
# Open connections of one process, idle ones included: granian takes no more than that, and by itself a few hundred.
CONNECTIONS = 16_384
# Seconds (the most that granian knows) after which an idle connection is closed: apps save every minute or so.
IDLE_TIMEOUT = 60


class Command(BaseCommand):
    help = "Checks the configuration and the database, says where it listens, and becomes the server (granian)."
    requires_system_checks = []  # handle() runs them, with those of the database

    def add_arguments(self, parser):
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="First migrate the database, collect the static files and, with DEMO=1, load the demo institute.",
        )

    def handle(self, *, prepare, **options):
        self.check()
        address = listening_address()
        require_database()
        if prepare:
            self.prepare()
        require_migrations()
        require_static_files()
        self.check(databases=["default"])
        self.announce()
        become_server(address)

    def prepare(self):
        if pending_migrations():
            self.stdout.write("Bringing the database up to date …")
            call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO and not is_loopback(settings.HOST):
            self.stdout.write(
                f"The demo institute is not loaded: everybody knows its passwords, and HOST {settings.HOST} lets other "
                "machines in."
            )
        elif settings.DEMO:
            call_command("load_demo", if_empty=True, stdout=io.StringIO())  # announce() says it, at every start

    def announce(self):
        everywhere = settings.HOST in ("0.0.0.0", "::")  # noqa: S104  (compared, not bound)
        host = "localhost" if everywhere else f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        root = f"http://{host}:{settings.PORT}"
        lines = [
            f"Exam server   {root}/" + ("  and this machine's other addresses" if everywhere else ""),
            f"API docs      {root}/api/docs/",
            f"Admin site    {root}/admin/",
        ]
        if users := demo_users():
            log_ins = ", ".join(f"{'staff' if user.is_staff else 'student'} {user.username}" for user in users)
            lines.append(f"Demo log-ins  {log_ins}; password {demo.PASSWORD}; `manage.py remove_demo` takes them out")
        if settings.HTTPS and not settings.TRUST_PROXY:
            lines.append(
                "HTTPS=1 without TRUST_PROXY=1: every request is sent to https://, which this server does not speak "
                "itself. Put a proxy that does before it, and set TRUST_PROXY=1."
            )
        if reason := why_cache_is_out_of_reach():
            lines.append(f"REDIS_URL cannot be reached, so that every process is on its own and slower: {reason}")
        self.stdout.write("\n".join([*lines, "Ctrl-C stops it."]))


def demo_users():
    """The demo's student and staff, where they are still there and their password still works."""
    members = User.objects.filter(username__in=[demo.STUDENT, demo.ADMIN], groups__name=demo.GROUP, is_active=True)
    return [user for user in members.order_by("is_staff") if user.check_password(demo.PASSWORD)]


def listening_address():
    """HOST as an IP address that PORT can be listened on at.

    :raises CommandError: the name is unknown, the address is not this machine's, or the port is taken or forbidden.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CommandError(f"HOST {settings.HOST} is no name this machine can look up: {error.strerror}.") from None
    with socket.socket(family, kind, protocol) as probe:
        # Without it a server that has just stopped would still hold the port for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            reason = error.strerror.lower()
            raise CommandError(f"Cannot listen on HOST {settings.HOST}, PORT {settings.PORT}: {reason}.") from None
    return place[0]


def require_database():
    # This process needs one connection, and a pool would wait, try again and hide the reason.
    connection.settings_dict["OPTIONS"].pop("pool", None)
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CommandError(f"The database of DATABASE_URL cannot be reached: {' '.join(str(error).split())}") from None


def why_cache_is_out_of_reach():
    """Why Redis, where there is to be one, does not answer, or "". The cache itself goes on without it."""
    if not settings.REDIS_URL:
        return ""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (RedisError, OSError) as error:
        return str(error)
    return ""


def pending_migrations():
    executor = MigrationExecutor(connection)
    return executor.migration_plan(executor.loader.graph.leaf_nodes())


def require_migrations():
    if pending := len(pending_migrations()):
        raise CommandError(f"The database lacks {pending} migrations: run `manage.py migrate`, or `make serve`.")


def require_static_files():
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        raise CommandError("The static files are missing: run `manage.py collectstatic`, or `make serve`.")


def become_server(address):
    """Puts granian in this process's place. It keeps the process id, so that signals reach it."""
    connection.close()
    os.chdir(settings.BASE_DIR)
    allow_open_files()
    arguments = {
        "--interface": "wsgi",
        "--http": "1",
        "--host": address,
        "--port": str(settings.PORT),
        "--workers": str(settings.WEB_CONCURRENCY),
        "--blocking-threads": str(settings.THREADS),
        "--backlog": "4096",
        "--backpressure": str(CONNECTIONS),
        "--http1-header-read-timeout": str(IDLE_TIMEOUT * 1000),
        "--workers-kill-timeout": str(STOP_TIMEOUT),
        # Its warnings are about more threads than cores; that most of ours wait is meant (settings.THREADS).
        "--log-level": "error",
    }
    command = [sys.executable, "-m", "testpress.granian", *(part for pair in arguments.items() for part in pair)]
    command += ["--no-ws", "--respawn-failed-workers", "testpress.wsgi:application"]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, command)  # noqa: S606  (this very interpreter, and arguments that settings checked)


def allow_open_files():
    """Raises the limit of open files, which the server inherits, as far as it may be: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 1024
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
