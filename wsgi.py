"""The WSGI entry point: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

import gc

from portal import create_app
from portal.config import Settings

app = create_app(Settings.from_env())
# What the start has made lives as long as the process: the collector need not look at it again.
gc.collect()
gc.freeze()
