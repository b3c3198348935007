"""Which tasks these methods can do."""

from typing import Any

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support


def supports(task: Task, config: Any) -> Support:
    """Say whether a task gives an expression to differentiate."""
    if "expression" not in task.faces:
        return Support(False, f"{task.label} gives no expression to differentiate")
    return Support(True)
