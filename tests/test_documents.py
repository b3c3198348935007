"""README, CONTRIBUTING and the glossary show code, commands, targets and files that exist."""

import ast
import re
import shlex
from pathlib import Path
from textwrap import indent

import pytest

from pdebench_lite.registry import hooks
from pdebench_lite.registry.discovery import registry
from pdebench_lite.selectors import parse_selectors

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/glossary.md")
BLOCK = re.compile(r"(<!-- from (\S+) -->\n)?```python\n(.*?)```", flags=re.DOTALL)
EXAMPLE = ROOT / "tests" / "example_plugin"


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def lacks(block: str, source: str) -> str:
    """Return the first piece of a block that is not in a source; pieces are parted by `...`.

    Ruff moves the blocks of documents to the left margin: indentation as a whole does not count.
    """
    position = 0
    for piece in re.split(r"^ *\.\.\..*\n", block, flags=re.MULTILINE):
        if piece.strip():
            shown = "\n" + piece.strip("\n") + "\n"
            places = (f"\n{source}".find(indent(shown, by), position) for by in ("", "    "))
            found = max(places)
            if found < 0:
                return piece
            position = found + len(piece.strip("\n"))
    return ""


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_code_shown_is_that_of_tested_files(document):
    blocks = BLOCK.findall(text(document))
    assert blocks
    for marker, file, block in blocks:
        assert marker, f"{document}: a block without <!-- from FILE -->:\n{block}"
        missing = lacks(block, text(file))
        assert not missing, f"{document} shows what {file} does not hold in this order:\n{missing}"
        tested = EXAMPLE / f"test_{Path(file).name}"
        assert tested.exists() or Path(file).name.startswith("test_"), f"{file} is not tested"


def test_a_block_that_is_not_in_its_file_is_found():
    source = "a = 1\nb = 2\nc = 3\n"
    assert not lacks("a = 1\nb = 2\n", source)
    assert not lacks("a = 1\n...\nc = 3\n", source)
    assert lacks("a = 1\nc = 3\n", source) == "a = 1\nc = 3\n"
    assert lacks("c = 3\n...\na = 1\n", source) == "a = 1\n"


def test_every_hook_is_in_contributing():
    names = [name for name in vars(hooks) if name.startswith("pdebench_")]
    assert len(names) >= 7
    for name in names:
        assert f"`{name}`" in text("CONTRIBUTING.md"), f"CONTRIBUTING does not say what {name} is"


def _names_of_the_example() -> set[str]:
    """Return the names that the example plugin gives: `name = …`, `name=…`, `Kind("…", …)`."""
    found = set()
    for path in EXAMPLE.glob("pdebench_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Assign(targets=[ast.Name("name")], value=ast.Constant(name)):
                    found.add(name)
                case ast.keyword("name", ast.Constant(name)):
                    found.add(name)
                case ast.Call(ast.Name(kind), [ast.Constant(str(name)), *_]) if kind[0].isupper():
                    found.add(name)
    return found


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_shown_name_what_exists(document):
    known, strange = registry(), _names_of_the_example()
    shown = re.findall(r"^ {4}pdebench run (.*?)(?:\s+#.*)?$", text(document), flags=re.MULTILINE)
    assert shown
    for line in shown:
        words = shlex.split(line)
        options = dict(zip(words[::2], words[1::2], strict=True))
        for selector in parse_selectors(options["--problem"]):
            if not {selector.name, selector.task} & strange:
                known.task(selector)
        for selector in parse_selectors(options["--methods"]):
            if not {selector.name, *map(str, dict(selector.values).values())} & strange:
                known.configured(selector)


def test_the_targets_shown_exist():
    makefile = text("Makefile")
    targets = {
        t for d in DOCUMENTS for t in re.findall(r"^ {4}make ([a-z-]+)", text(d), flags=re.M)
    }
    assert {"demo", "test"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_links_lead_somewhere(document):
    folder = (ROOT / document).parent
    for link in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", text(document)):
        if link and "://" not in link:
            assert (folder / link).exists(), f"{document} links to {link}"


def test_the_glossary_is_sorted_and_says_each_thing_in_one_sentence():
    terms = re.findall(r"^\*\*(.+?)\*\* – (.+)$", text("docs/glossary.md"), flags=re.MULTILINE)
    assert [t for t, _ in terms] == sorted({t for t, _ in terms})
    for term, meaning in terms:
        assert meaning.endswith("."), term
        assert not re.search(r"\.\s", meaning), f"{term}: one sentence"
    needed = (
        "problem task field coefficient unknown observation reference bound method backend cell "
        "record study run curve group baseline budget"
    )
    assert set(needed.split()) <= {t for t, _ in terms}
