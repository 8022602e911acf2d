"""The text of a configuration as a form sends it: a chosen file, or what was pasted."""

from flask import request

from portal.configuration.text import LENGTH
from portal.domain.errors import N_, refuse

_NOT_UTF8 = N_("This file is no text in UTF-8. Save it as UTF-8, then choose it again.")
_NOTHING = N_("Choose a file, or paste its text.")


def sent_text() -> str:
    """The chosen file, else the pasted text. Raises `RuleError` on `text`."""
    typed, upload = request.form.get("text", ""), request.files.get("file")
    if upload and upload.filename:
        try:
            typed = upload.stream.read(LENGTH * 4 + 1).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise refuse(_NOT_UTF8, field="text") from error
    if not typed.strip():
        raise refuse(_NOTHING, field="text")
    return typed
