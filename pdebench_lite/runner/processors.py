"""How many processors this process may use: affinity, quota of its control group, batch job."""

import os
from collections.abc import Mapping
from pathlib import Path

# What batch systems grant a task on this node: Slurm, Slurm without -c, PBS, Grid Engine, LSF.
_GRANTS = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NCPUS", "NSLOTS", "LSB_DJOB_NUMPROC")
_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "SGE_TASK_ID", "LSB_JOBID")  # of the same systems
_ROOT = Path("/")


def usable_processors(environment: Mapping[str, str] = os.environ, root: Path = _ROOT) -> int:
    """Return the number of processors that this process may use; at least 1.

    That is the least of: the processors that it may be scheduled on (affinity), the quota of its
    control group or of one above it, rounded down, since threads beyond it are only made to wait,
    and what a batch system grants.

    Args:
        environment: the environment variables.
        root: where `proc` and `sys` are mounted.
    """
    counts = [len(affinity()), *quotas(root)]
    granted = (environment.get(name, "") for name in _GRANTS)
    first = next((int(count) for count in granted if count.isdigit() and int(count)), None)
    return max(1, int(min(counts if first is None else [*counts, first])))


def in_batch_job(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a job of a batch system."""
    return any(environment.get(name) for name in _JOBS)


def affinity() -> list[int]:
    """Return the numbers of the processors that this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def quotas(root: Path = _ROOT) -> list[float]:
    """Return the quotas, in processors, of the control groups that this process is in.

    Linux, Documentation/admin-guide/cgroup-v2.rst, `cpu.max`; for version 1
    Documentation/scheduler/sched-bwc.rst, `cpu.cfs_quota_us` over `cpu.cfs_period_us`. In a
    container the path may be that of the host: then a group above it, at last the root, is there.

    Args:
        root: where `proc` and `sys` are mounted.
    """
    found = []
    groups = _read(root / "proc/self/cgroup") or "0::/\n1:cpu:/"
    for line in groups.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / controllers
        group = mount / path.strip("/")
        for folder in (group, *(p for p in group.parents if p.is_relative_to(mount))):
            text = _read(folder / "cpu.max") or (
                f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
            )
            quota, _, period = text.strip().partition(" ")
            if quota.isdigit() and period.strip().isdigit() and int(period):  # else no limit
                found.append(int(quota) / int(period))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
