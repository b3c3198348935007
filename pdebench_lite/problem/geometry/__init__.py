"""Shapes of space: points inside, named parts of the boundary, quadrature, smooth distance.

Nothing outside this room assumes a box.
"""

from .ball import Ball as Ball
from .ball import Disc as Disc
from .box import Box as Box
from .box import Interval as Interval
from .difference import Difference as Difference
from .geometry import Block as Block
from .geometry import Geometry as Geometry
from .geometry import Points as Points
from .geometry import Surface as Surface
from .polygon import Polygon as Polygon
