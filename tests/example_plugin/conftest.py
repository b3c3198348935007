"""In pdebench-lite's own test run this plugin is not installed: its tests run in a child there."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("pdebench_example") else ["test_pdebench_example.py"]
