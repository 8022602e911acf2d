"""A worker that is killed after a mail has left and before that is written down.

Run as a program: `python -m tests.support.dying_worker <lease in seconds>`.
"""

import datetime as dt
import os
import signal
import sys

from portal import create_app
from portal.config import Settings
from portal.extensions import db
from portal.outbox.mailing import mail_handlers
from portal.outbox.worker import Worker


class DyingWorker(Worker):
    def _finish(self, job, outcome):
        os.kill(os.getpid(), signal.SIGKILL)


def main(lease: float) -> None:
    app = create_app(Settings.from_env())
    with app.app_context():
        DyingWorker(db.engine, mail_handlers(app), lease=dt.timedelta(seconds=lease)).drain()


if __name__ == "__main__":
    main(float(sys.argv[1]))
