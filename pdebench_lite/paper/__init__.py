"""A folder from which a paper can be written and its numbers checked: `pdebench paper`."""

from pdebench_lite.paper.bundle import write_bundle as write_bundle
