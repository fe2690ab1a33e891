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

from tests.project.server import ROOT, running

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


def main(arguments):
    with running(WEB_CONCURRENCY="2") as server:
        token = log_in(server.address)
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.address}/api/schema/",
            "--header",
            f"Authorization: JWT {token}",
            "--checks",
            ",".join(CHECKS),
            "--generation-database",
            "none",
            *arguments,
        ]
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.project.fuzz_hooks",
            "FUZZ_ADDRESS": server.address,
            "FUZZ_TOKEN": token,
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
