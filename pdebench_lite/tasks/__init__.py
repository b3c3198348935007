"""Tasks that any problem can use: give a problem a task by naming its class."""

from pdebench_lite.tasks.expression import Exact, ExpressionEvaluation, ExpressionTask
from pdebench_lite.tasks.family import Ensemble, FamilyEvaluation, FamilyTask
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask
from pdebench_lite.tasks.forward import Forward
from pdebench_lite.tasks.identify import Identify
from pdebench_lite.tasks.reconstruction import Reconstruction
from pdebench_lite.tasks.solve import Solve

CORE_TASKS = (Forward, Solve, Reconstruction, Identify)

__all__ = [
    "CORE_TASKS",
    "Ensemble",
    "Exact",
    "ExpressionEvaluation",
    "ExpressionTask",
    "FamilyEvaluation",
    "FamilyTask",
    "FieldEvaluation",
    "FieldTask",
    "Forward",
    "Identify",
    "Reconstruction",
    "Solve",
]
