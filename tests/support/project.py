"""The project's own files, as far as they belong to it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOT_OURS = {".git", ".venv", "instance", "__pycache__", "node_modules"}


@cache
def project_files() -> tuple[str, ...]:
    """Every file that is, or could be, under version control; paths from the project's folder."""
    asked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if asked.returncode == 0:
        listed = asked.stdout.splitlines()
    else:  # an unpacked archive, or a checkout of another user
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        listed = [
            str(path)
            for path in found
            if not _NOT_OURS & set(path.parts) and not path.parts[0].endswith("_cache")
        ]
    return tuple(sorted(name for name in listed if (ROOT / name).is_file()))


def files_in(folder: str, suffix: str) -> list[str]:
    return [name for name in project_files() if name.startswith(folder) and name.endswith(suffix)]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
