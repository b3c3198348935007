"""README shows code and commands that exist."""

import re
import shlex
from pathlib import Path

from pdebench_lite.registry.discovery import registry
from pdebench_lite.selectors import parse_selectors

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_method_shown_is_the_example_plugin():
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    example = (ROOT / "tests/example_plugin/pdebench_example.py").read_text(encoding="utf-8")
    position = 0
    for line in block.splitlines():
        if line.strip() and not line.strip().startswith("..."):
            position = example.find(f"{line}\n", position)
            assert position >= 0, f"README shows a line that the example has not: {line}"


def test_the_commands_shown_name_what_exists():
    known = registry()
    shown = re.findall(r"^ {4}pdebench run (.*?)(?:\s+#.*)?$", README, flags=re.MULTILINE)
    assert len(shown) >= 3
    for line in shown:
        words = shlex.split(line)
        options = dict(zip(words[::2], words[1::2], strict=True))
        for selector in parse_selectors(options["--problem"]):
            known.task(selector)
        for selector in parse_selectors(options["--methods"]):
            known.configured(selector)


def test_the_targets_shown_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    texts = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^ {4}make ([a-z-]+)", texts, flags=re.MULTILINE))
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
