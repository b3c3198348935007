"""`pdebench doctor`: whether this machine can run cells, and whether its numbers can be trusted."""

from pdebench_lite.doctor.examine import examine as examine
from pdebench_lite.doctor.finding import LEVELS as LEVELS
from pdebench_lite.doctor.finding import Finding as Finding
