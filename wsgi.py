"""The WSGI entry point: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

from portal import create_app
from portal.config import Settings

app = create_app(Settings.from_env())
