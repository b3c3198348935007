"""Tasks that any problem can use: give a problem a task by naming its class."""

from pdebench_lite.tasks.expression import Exact, ExpressionEvaluation, ExpressionTask
from pdebench_lite.tasks.family import Ensemble, FamilyEvaluation, FamilyTask
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask
from pdebench_lite.tasks.forward import Forward
from pdebench_lite.tasks.reconstruction import Reconstruction

__all__ = [
    "Ensemble",
    "Exact",
    "ExpressionEvaluation",
    "ExpressionTask",
    "FamilyEvaluation",
    "FamilyTask",
    "FieldEvaluation",
    "FieldTask",
    "Forward",
    "Reconstruction",
]
