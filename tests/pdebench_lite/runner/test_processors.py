"""Contract: the processors that a runner may use are those of its job, not of the machine."""

from pathlib import Path

import pytest

from pdebench_lite.runner import processors
from pdebench_lite.runner.processors import quotas, usable_processors


@pytest.fixture(autouse=True)
def _sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "affinity", lambda: list(range(16)))


def _tree(root: Path, groups: str, **files: str) -> Path:
    """Write /proc/self/cgroup and files below /sys/fs/cgroup, `__` for a slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("CPU", "cpu,cpuacct")
        path = path.with_name(path.name.replace("_max", ".max").replace("cpu_cfs", "cpu.cfs"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, 16),
        ("0::/job/step", {"job__step__cpu_max": "max 100000"}, 16),
        ("0::/job/step", {"job__step__cpu_max": "350000 100000"}, 3),
        ("0::/job/step", {"job__cpu_max": "200000 100000", "job__step__cpu_max": "max 100000"}, 2),
        ("0::/", {"cpu_max": "50000 100000"}, 1),
        (
            "5:memory:/host/path\n4:cpu,cpuacct:/host/path\n0::/",
            {"CPU__cpu_cfs_quota_us": "400000", "CPU__cpu_cfs_period_us": "100000"},
            4,
        ),
        (
            "4:cpu,cpuacct:/",
            {"CPU__cpu_cfs_quota_us": "-1", "CPU__cpu_cfs_period_us": "100000"},
            16,
        ),
    ],
)
def test_quotas_of_control_groups(
    groups: str, files: dict[str, str], expected: int, tmp_path: Path
) -> None:
    assert usable_processors({}, _tree(tmp_path, groups, **files)) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"SLURM_CPUS_PER_TASK": "2", "SLURM_CPUS_ON_NODE": "8"}, 2),
        ({"SLURM_CPUS_ON_NODE": "8"}, 8),
        ({"SLURM_CPUS_PER_TASK": "64"}, 16),  # two threads a core, or another node's
        ({"NSLOTS": "3"}, 3),
        ({"SLURM_CPUS_PER_TASK": ""}, 16),
        ({"SLURM_CPUS_PER_TASK": "0"}, 16),
    ],
)
def test_what_a_batch_system_grants(
    environment: dict[str, str], expected: int, tmp_path: Path
) -> None:
    assert usable_processors(environment, tmp_path) == expected


def test_the_groups_of_this_process_can_be_read() -> None:
    assert all(quota > 0 for quota in quotas())
    assert usable_processors() >= 1
