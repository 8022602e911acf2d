import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WITHIN_SECONDS = 60
# It knows nothing of the portal, so it is loaded alone, which is quick.
FOLDER = Path(__file__).parents[1] / "portal" / "cli"

# A parent with one child that writes its number and then lives, dies or refuses to end.
PARENT = """
import os, sys
from serve import Child, Supervisor
child = Child("The child", [sys.executable, "-c", os.environ["CHILD"]], os.environ)
say = lambda sentence: print(sentence, file=sys.stderr, flush=True)
supervisor = Supervisor(child, [], say=say, grace=float(os.environ["GRACE"]))
sys.exit(supervisor.run(lambda: os.environ["READY"] == "yes"))
"""
LIVES = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
DIES = "import os; print(os.getpid(), flush=True); raise SystemExit(3)"
LEAVES_ONE = """
import os, signal, subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]).pid, flush=True)
print(os.getpid(), flush=True)
signal.pause()
"""
REFUSES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES


@pytest.fixture
def parent():
    started = []

    def start(child, grace=10, ready="yes"):
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT],
            env=os.environ
            | {"CHILD": child, "GRACE": str(grace), "READY": ready, "PYTHONPATH": str(FOLDER)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def is_alive(number):
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, seconds=WITHIN_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_child_and_then_the_parent(parent, number):
    process = parent(LIVES)
    child = int(process.stdout.readline())
    process.send_signal(number)
    assert process.wait(WITHIN_SECONDS) == 0
    assert not is_alive(child)


def test_a_dead_child_starts_again_after_a_pause(parent):
    process = parent(LIVES)
    first = int(process.stdout.readline())
    killed = time.monotonic()
    os.kill(first, signal.SIGKILL)
    second = int(process.stdout.readline())
    assert second != first
    assert time.monotonic() - killed >= 0.5
    assert (
        process.stderr.readline() == "The child was ended by SIGKILL; it starts again in 0.5 s.\n"
    )


def test_what_a_killed_child_had_started_goes_with_it(parent):
    process = parent(LEAVES_ONE)
    grandchild, child = int(process.stdout.readline()), int(process.stdout.readline())
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: not is_alive(grandchild))
    assert int(process.stdout.readline()) != grandchild


def test_the_pause_grows_with_each_quick_death(parent):
    process = parent(DIES)
    said = [process.stderr.readline() for _ in range(3)]
    assert [sentence.split(" in ")[1] for sentence in said] == ["0.5 s.\n", "1 s.\n", "2 s.\n"]


def test_a_child_that_does_not_end_is_killed_and_the_status_says_so(parent):
    process = parent(REFUSES, grace=0.3)
    child = int(process.stdout.readline())
    process.terminate()
    assert process.wait(WITHIN_SECONDS) == 1
    wait_until(lambda: not is_alive(child))


def test_a_second_signal_ends_at_once(parent):
    process = parent(REFUSES, grace=10 * WITHIN_SECONDS)
    process.stdout.readline()
    # Two that come before the first is heard are one signal.
    wait_until(lambda: process.send_signal(signal.SIGINT) or process.poll() is not None)
    assert process.returncode == 1


def test_a_killed_parent_takes_its_child_with_it(parent):
    process = parent(LIVES)
    child = int(process.stdout.readline())
    process.kill()
    wait_until(lambda: not is_alive(child))
    assert not is_alive(child)


def test_a_child_that_dies_before_it_was_ready_ends_the_portal(parent):
    process = parent(DIES, ready="no")
    assert process.wait(WITHIN_SECONDS) == 1
    assert process.stderr.read() == "The child could not start; the reason stands above.\n"
