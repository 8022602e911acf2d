"""People without scripts: w3m, driven by its own keys in a terminal of its own, and lynx."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

WIDTH, HEIGHT = 120, 200
WITHIN_SECONDS = 60
# Without these, w3m asks before it keeps a cookie, leaves a page or saves over a file.
OPTIONS = {
    "accept_cookie": "1",
    "use_cookie": "1",
    "show_cookie": "0",
    "confirm_qq": "0",
    "display_link_number": "0",
    "mark_all_pages": "0",
    "graphic_char": "1",
    "use_history": "0",
    "retry_http": "0",
}


class W3m:
    """One person at a terminal: `see`, `follow`, `fill`, `choose`, `press`.

    Whatever is told to w3m is done in order, and seen by asking it to save what it shows.
    """

    def __init__(self, home: Path, url: str, *, language: str = "en", columns: int = WIDTH) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self._saves = 0
        options = [part for name, value in OPTIONS.items() for part in ("-o", f"{name}={value}")]
        options += ["-o", f"accept_language={language}"]
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, columns, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", "w3m", "-cookie", *options, url],
            env={"HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.defpath},
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        # A terminal that nobody reads fills up, and w3m would wait.
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def see(self) -> str:
        """The page as it stands on the screen, in full."""
        self._saves += 1
        file = self._home / f"seen-{self._saves}.txt"
        self._type("S")
        self._line(str(file))
        deadline = time.monotonic() + WITHIN_SECONDS
        size = 0
        # Written piece by piece: it is whole when it has stopped growing.
        while not size or size != file.stat().st_size:
            assert time.monotonic() < deadline, "w3m shows nothing"
            size = file.stat().st_size if file.exists() else 0
            time.sleep(0.05)
        return file.read_text()

    def go(self, url: str) -> None:
        self._type("U")
        self._line(url)

    def follow(self, words: str) -> None:
        """Open the link with these words."""
        self._find(words)
        self._type("\r")

    def press(self, button: str) -> None:
        """Press the button with these words."""
        self._find(button)
        self._type("\r")

    def fill(self, label: str, value: str) -> None:
        """Type into the field that follows the label; what stood there is replaced."""
        self._find(label)
        self._type("\t\r")
        self._line(value)

    def choose(self, label: str) -> None:
        """Switch the box or radio button that stands before the label."""
        self._find(label)
        self._type("\x1b\t\r")

    def close(self) -> None:
        # Ctrl-C ends what it is doing, Q ends w3m without a question.
        self._type("\x03Q")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        os.close(self._terminal)

    def _find(self, words: str) -> None:
        """Put the cursor on the first place that has the words, from the top of the page."""
        self._type("g/")
        self._line(re.sub(r"([][().*+?^$|\\])", r"\\\1", words))

    def _line(self, text: str) -> None:
        """Replace what the line at the bottom proposes."""
        self._type("\x01\x0b" + text + "\r")

    def _type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def _read_all(self) -> None:
        try:
            while os.read(self._terminal, 65536):
                pass
        except OSError:
            return


def lynx(url: str, *, language: str = "en") -> str:
    """How lynx shows a page to a stranger."""
    done = subprocess.run(
        ["lynx", "-dump", "-nolist", f"-width={WIDTH}", "-display_charset=utf-8", url],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "LANG": f"{language}.UTF-8", "HOME": "/"},
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def w3m(tmp_path):
    """Opens a terminal with w3m: `w3m(url)`, `w3m(url, language="fr")`."""
    opened: list[W3m] = []

    def open_at(url: str, *, language: str = "en") -> W3m:
        browser = W3m(tmp_path / f"w3m-{len(opened)}", url, language=language)
        opened.append(browser)
        return browser

    yield open_at
    for browser in opened:
        browser.close()
