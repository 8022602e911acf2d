"""The tools that read the code. Each says itself what it found."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, files_in

TOOLS = {
    "ruff finds nothing": ["ruff", "check", "."],
    "ruff would format nothing": ["ruff", "format", "--check", "."],
    "mypy understands every type": ["mypy"],
    "djlint finds nothing": ["djlint", "templates", "--lint", "--quiet"],
}


@pytest.mark.parametrize("command", TOOLS.values(), ids=TOOLS.keys())
def test_a_tool_has_no_complaint(command):
    _run([sys.executable, "-m", *command])


def test_imports_point_inwards_through_every_detour():
    # The module cannot be run: asked for by `-m` it says nothing and ends well.
    _run([Path(sys.executable).with_name("lint-imports"), "--no-cache"])


@pytest.mark.parametrize("name", files_in("bin/", "") + files_in(".ci/", ""))
def test_the_commands_are_what_every_shell_understands(name):
    _run(["/bin/sh", "-n", name])


def _run(command):
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
