"""The processor: its frequency, other load, limits of a container."""

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from pdebench_doctor.finding import Finding, read
from pdebench_lite.measure import steal
from pdebench_lite.runner import shell
from pdebench_lite.runner.environment import threads
from pdebench_lite.runner.processors import affinity, quotas

_SECTION = "processor"
_WATCH = 0.5  # seconds of watching other processes
_BUSY = 0.2  # processors that others may use
_STOLEN = 0.01  # share of time that a hypervisor may take


def processor(root: Path = Path("/")) -> Iterator[Finding]:
    """Yield the findings about processors, their frequency, and who else uses them."""
    yield _affinity()
    yield from _variables()
    yield container(root)
    yield quota(root)
    yield frequency(root)
    yield turbo(root)
    yield from _load()


def _affinity() -> Finding:
    mine, all_of_them = len(affinity()), os.cpu_count() or 1
    found = f"{mine} of {all_of_them} may be used"
    if mine < all_of_them:
        remedy = f"taskset -c 0-{all_of_them - 1} pdebench run …"
        return Finding(_SECTION, "processors", "note", found, remedy)
    return Finding(_SECTION, "processors", "ok", found)


def _variables() -> Iterator[Finding]:
    for name, value in shell.not_used(threads()).items():
        found = f"{name}={value} is not used: a cell has {threads()} threads"
        yield Finding(_SECTION, "threads", "note", found, f"unset {name}")
    for name, value in shell.passed_on().items():
        found = f"{name}={value} may change speed or numbers: records and tables say so"
        yield Finding(_SECTION, "variable", "warning", found, f"unset {name}")


def container(root: Path) -> Finding:
    """Return the finding about a container, in which other load may not be seen."""
    marks = (".dockerenv", "run/.containerenv", "run/systemd/container")
    inside = any((root / mark).exists() for mark in marks)
    found = "yes: load outside it is not seen here" if inside else "no sign of one"
    return Finding(_SECTION, "container", "note" if inside else "ok", found)


def quota(root: Path) -> Finding:
    """Return the finding about the processor time that a container may use."""
    limit = min(quotas(root), default=None)
    if limit is None:
        return Finding(_SECTION, "quota", "ok", "no limit by a control group")
    found = f"a control group gives {limit:g} processors' time; {threads()} may be used"
    if limit < threads():
        last = max(1, math.floor(limit)) - 1
        remedy = f"taskset -c 0{f'-{last}' if last else ''} pdebench run …"
        return Finding(_SECTION, "quota", "warning", f"{found}: they are paused in turn", remedy)
    return Finding(_SECTION, "quota", "ok", found)


def frequency(root: Path) -> Finding:
    """Return the finding about the governor of the processors' frequency."""
    pattern = "sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    governors = sorted({read(path) for path in root.glob(pattern)} - {""})
    if not governors:
        return Finding(
            _SECTION, "frequency", "ok", "not reported here (usual in a virtual machine)"
        )
    found = f"governor {', '.join(governors)}"
    if governors != ["performance"]:
        remedy = f"echo performance | sudo tee {root / pattern}"
        return Finding(_SECTION, "frequency", "warning", found, remedy)
    return Finding(_SECTION, "frequency", "ok", found)


def turbo(root: Path) -> Finding:
    """Return the finding about turbo: clock rates that depend on heat and on other load."""
    folder = root / "sys/devices/system/cpu"
    switches = ((folder / "intel_pstate/no_turbo", "0", "1"), (folder / "cpufreq/boost", "1", "0"))
    for file, on, off in switches:
        if value := read(file):
            if value == on:
                remedy = f"echo {off} | sudo tee {file}"
                found = "on: the first seconds run faster than the rest"
                return Finding(_SECTION, "turbo", "warning", found, remedy)
            return Finding(_SECTION, "turbo", "ok", "off")
    return Finding(_SECTION, "turbo", "ok", "not reported here (usual in a virtual machine)")


def _load() -> Iterator[Finding]:
    """Watch other processes, and the hypervisor, for a moment."""
    before = {p.pid: _seconds(p) for p in psutil.process_iter()}
    stolen, began = steal.processors(), time.perf_counter()
    time.sleep(_WATCH)
    span, busy = time.perf_counter() - began, []
    for process in psutil.process_iter():
        used = (_seconds(process) - before.get(process.pid, 0.0)) / span
        if process.pid != os.getpid() and used > _BUSY / 4:
            busy.append((used, process.pid, _name(process)))
    busy.sort(reverse=True)
    total = sum(used for used, *_ in busy)
    if total > _BUSY:
        most = ", ".join(f"{name} ({pid}): {used:.0%}" for used, pid, name in busy[:3])
        pids = ",".join(str(pid) for _, pid, _ in busy[:3])
        remedy = f"wait until they have ended: ps -o pid,etime,args -p {pids}"
        found = f"others use {total:.1f} processors: {most}"
        yield Finding(_SECTION, "load", "warning", found, remedy)
    else:
        yield Finding(_SECTION, "load", "ok", f"others use {total:.1f} processors")
    now = steal.processors()
    if stolen is None or now is None or now[1] <= stolen[1]:
        return
    share = (now[0] - stolen[0]) / (now[1] - stolen[1])
    if share > _STOLEN:
        found = f"the hypervisor took {share:.1%} of the time for other guests"
        remedy = "pdebench run … --seeds 5, and compare medians; or use a machine of your own"
        yield Finding(_SECTION, "stolen time", "warning", found, remedy)


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "?"
