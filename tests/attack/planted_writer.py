"""A command that writes one file, well or badly: python -m planted_writer good|bad TEXT."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    _, manner, text = sys.argv
    out, aside = Path("out.txt"), Path(".out.partial.txt")

    def stop(*_: object) -> None:
        """Ctrl-C."""
        aside.unlink(missing_ok=True)
        sys.exit(130)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)
    written = aside if manner == "good" else out
    with written.open("w") as file:
        file.write("half of")
        file.flush()
        time.sleep(0.6)
        file.write(text)
    os.replace(written, out)
