"""In pdebench-lite's own test run this plugin is not installed: its tests run in a child there."""

from importlib.util import find_spec
from pathlib import Path

collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("test_*.py")
    if not find_spec(path.stem.removeprefix("test_"))
]
