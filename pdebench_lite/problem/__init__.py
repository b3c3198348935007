"""What a problem is: its domain, its faces, its tasks, and what a method may see of it."""

from .domain import Axis as Axis
from .domain import Domain as Domain
from .problem import Array as Array
from .problem import Arrays as Arrays
from .problem import Carried as Carried
from .problem import Condition as Condition
from .problem import Expression as Expression
from .problem import Face as Face
from .problem import Function as Function
from .problem import Observation as Observation
from .problem import Problem as Problem
from .problem import Reference as Reference
from .problem import Scheme as Scheme
from .problem import Task as Task
from .problem import Unknown as Unknown
from .problem import split_derivative as split_derivative
from .solution import Predict as Predict
from .solution import Solution as Solution
