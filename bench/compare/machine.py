"""What this machine is, what others do on it meanwhile, and which processors to compute on."""

import os
import platform
import re
import time
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")


def allowed() -> list[int]:
    """The processors this process may use, one of each core before the second ones of any."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))

    def place_in_core(cpu: int) -> int:
        try:
            siblings = (CPUS / f"cpu{cpu}/topology/thread_siblings_list").read_text()
        except OSError:
            return 0
        return sum(int(first) < cpu for first in re.findall(r"\d+", siblings))

    return sorted(os.sched_getaffinity(0), key=lambda cpu: (place_in_core(cpu), cpu))


def pin(threads: int) -> None:
    """Keeps the calling process on as many processors as it has threads; all contenders alike."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, allowed()[:threads])


def busy_seconds() -> float | None:
    """Processor seconds that all processes have used and other guests have stolen; None where that is unknown."""
    try:
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, low, system, _, _, interrupt, soft, stolen = (int(word) for word in words[1:9])
    return (user + low + system + interrupt + soft + stolen) / os.sysconf("SC_CLK_TCK")


class Bystanders:
    """How many processors others use while we measure."""

    def __init__(self):
        self.busy, self.begin, self.own = busy_seconds(), time.monotonic(), 0.0

    def add_own(self, seconds: float) -> None:
        self.own += seconds

    def cores(self) -> float | None:
        """None where it is unknown, or too little time has gone by for the system's clock of 10 ms to tell."""
        passed = time.monotonic() - self.begin
        if self.busy is None or passed < 0.5:
            return None
        return max(0.0, (busy_seconds() - self.busy - self.own) / passed)


def description() -> dict:
    name = platform.processor() or platform.machine()
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        name = found.group(1) if found else name
    except OSError:
        pass
    return {"processor": name, "cpus": len(allowed()), "system": platform.platform(),
            "python": platform.python_version()}
