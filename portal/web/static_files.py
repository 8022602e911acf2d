"""Static files under `/static/<hash of the whole folder>/…`, so that they may be kept forever.

One hash for all: relative imports between modules then stay within one version.
"""

import hashlib
from functools import cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from flask import Flask, Response, abort, request, send_from_directory

from portal.web.access import public

FOLDER = Path(__file__).parents[2] / "static"
_PACKED = {"text/css", "text/javascript", "image/svg+xml", "text/plain"}


def folder_hash(folder: Path = FOLDER) -> str:
    """12 hex digits over every file's name and content."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def init_static(app: Flask) -> None:
    """Serve the folder and give templates `static(path)`."""
    version = folder_hash()
    prefix = f"/static/{version}/"

    @app.get("/static/<version>/<path:name>", endpoint="static")
    @public
    def static_file(version: str, name: str) -> Response:
        if version != _version(app):
            abort(404)
        response = send_from_directory(FOLDER, name, max_age=31536000)
        if response.mimetype in _PACKED and request.accept_encodings.quality("br"):
            return _packed(response, name)
        return response

    app.extensions["static_version"] = version
    app.jinja_env.globals["static"] = lambda name: prefix + name

    @app.get("/favicon.ico")
    @public
    def favicon() -> Response:
        return send_from_directory(FOLDER, "mark.svg", mimetype="image/svg+xml")


def _packed(response: Response, name: str) -> Response:
    response.close()
    packed = Response(_brotli(name), mimetype=response.mimetype)
    packed.headers["Content-Encoding"] = "br"
    packed.vary.add("Accept-Encoding")
    return packed


@cache
def _brotli(name: str) -> bytes:
    """Packed as small as it goes, once a process: the first load is counted in bytes."""
    return bytes(brotli.compress((FOLDER / name).read_bytes(), quality=11))


def _version(app: Flask) -> str:
    return str(app.extensions["static_version"])
