"""`make fuzz`: made-up requests, good and bad, to every path of the schema of a server of its own.

Schemathesis deletes, changes and repeats whatever it likes, so the server has its own database with the demo institute.
Arguments are passed on to `schemathesis run`.
"""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.project.server import ROOT, manage, running

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
    "use_after_free",
]


def log_in(address):
    """The demo student's token."""
    request = urllib.request.Request(
        f"{address}/api/v2.1/auth-token/",
        data=json.dumps({"username": "testpress", "password": "demo"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["token"]


def credential(server):
    """The key and secret of an API credential of the demo's staff, as the hooks want them."""
    done = manage("create_api_credential", "admin", folder=server.folder)
    key, secret = (line.partition(": ")[2] for line in done.stdout.splitlines())
    return {"FUZZ_KEY": key, "FUZZ_SECRET": secret}


def main(arguments):
    with running(WEB_CONCURRENCY="2") as server:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.address}/api/schema/",
            "--checks",
            ",".join(CHECKS),
            "--generation-database",
            "none",
            *arguments,
        ]
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.project.fuzz_hooks",
            "FUZZ_ADDRESS": server.address,
            "FUZZ_TOKEN": log_in(server.address),
            **credential(server),
        }
        failed = subprocess.run(command, cwd=ROOT, env={**os.environ, **hooks}).returncode
        if server.process.poll() is not None:
            failed = 1
            sys.stderr.write("The server has died.\n")
        if "Traceback" in (log := server.log.read_text()):
            failed = 1
            sys.stderr.write(f"The server logged a fault:\n{log}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
