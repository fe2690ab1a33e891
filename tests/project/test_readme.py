"""What the README tells people to type works as it stands there."""

import os
import re
import shutil
import subprocess

import pytest

from tests.project.server import CONFIGURATION, ROOT

README = (ROOT / "README.md").read_text()


def shell_blocks(heading):
    """The ```sh blocks of the section below `heading`."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's commands use curl")
def test_one_exam_from_log_in_to_review_twice_over(demo_server):
    blocks = shell_blocks("One exam, from log-in to review")

    for _ in range(2):  # what is tried once is tried again
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            env={**os.environ, "BASE": demo_server.address},
            capture_output=True,
            text=True,
            timeout=90,
        )

        assert (done.returncode, done.stderr) == (0, "")
        review = done.stdout.rpartition('"count": 12,')[2]
        assert '"selected_answers": [' in review
        assert '"is_correct": true' in review
        assert '"explanation_html": "<p>' in review
    assert len(blocks) == 5


def test_every_variable_of_the_configuration_is_explained():
    explained = re.findall(r"`([A-Z0-9_]+)`", "".join(re.findall(r"^\| `.*?\|", README, flags=re.MULTILINE)))

    read = re.findall(r"environment\.\w+\(\s*\"(\w+)\"", (ROOT / "testpress/settings.py").read_text())
    assert set(read) - set(explained) == set()
    assert set(explained) - set(read) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # which boto3 itself reads
    assert set(read) == set(CONFIGURATION)


def test_every_command_is_explained():
    commands = {
        file.stem
        for file in ROOT.glob("*/management/commands/*.py")
        if file.stem != "__init__" and ".venv" not in file.parts
    }

    assert commands - set(re.findall(r"`([a-z_]+)[` ]", README)) == set()


def test_every_link_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_dependency_has_its_reason():
    table = (ROOT / "CONTRIBUTING.md").read_text()
    given = {
        name.partition("[")[0].strip()
        for names in re.findall(r"^\| ([a-z0-9\[\], -]+) \|", table, flags=re.MULTILINE)
        for name in re.sub(r"\[[^\]]*\]", "", names).split(",")
    } - {"package", "for development", "---"}

    needed = {
        re.split(r"[\[=]", line)[0]
        for file in ("requirements.txt", "requirements-dev.txt")
        for line in (ROOT / file).read_text().splitlines()
        if line and not line.startswith(("-r", "#"))
    }
    assert given == needed
