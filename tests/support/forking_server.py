"""The portal behind workers that are forks of one loaded process, so that a killed one is back
in a moment: `python -m tests.support.forking_server <port> <workers>`.

Granian loads the portal anew for each worker; between two kills that would be most of the time.
"""

import os
import signal
import socket
import sys
from types import FrameType

from werkzeug.serving import make_server

from portal import create_app
from portal.config import Settings


def main(port: int, workers: int) -> None:
    app = create_app(Settings.from_env())
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(256)
    running: set[int] = set()

    def stop(_number: int, _frame: FrameType | None) -> None:
        for worker in running:
            os.kill(worker, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        while len(running) < workers:
            worker = os.fork()
            if not worker:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                fd = listener.fileno()
                make_server("127.0.0.1", port, app, threaded=True, fd=fd).serve_forever()
            running.add(worker)
        ended, _status = os.wait()
        running.discard(ended)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
