"""The last one out: ends the whole process group when the supervisor is gone, however it went.

``app.demo.group`` starts it first, as the leader of the group, with the reading end of a pipe as its
standard input. The writing end closes with the supervisor, even when that is killed outright. Then all of
the group is asked to stop and, a moment later, made to. It knows nothing of the shop and imports nothing.
"""

import os
import signal
import time

GRACE_SECONDS = 2


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)  # the guard itself goes with it


if __name__ == "__main__":
    main()
