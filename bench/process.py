"""A process's wall time, and the memory that it allocates."""

import dataclasses
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS_BETWEEN_LOOKS = 0.005


@dataclasses.dataclass
class Done:
    said: str
    seconds: float
    allocated: float  # MiB of anonymous memory at most, looked at every few milliseconds


def allocated(process):
    """MiB of anonymous memory of a process now; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except ProcessLookupError:
        return 0.0
    found = re.search(r"RssAnon:\s*(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def run(command, env=None):
    """Runs a command, which must succeed."""
    command = list(map(str, command))
    peak = 0.0
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=env)
        while process.poll() is None:
            peak = max(peak, allocated(process))
            time.sleep(SECONDS_BETWEEN_LOOKS)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{text}")
    return Done(text, seconds, peak)
