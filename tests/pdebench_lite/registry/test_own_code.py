"""A user's own objects by path: found without an import, and loaded."""

import sys
from pathlib import Path

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.own_code import find, is_path, load, missing


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


@pytest.mark.parametrize("text", ["nets:Siren", "a.b_c.d:e", "_a:_b", "équations:réseau"])
def test_paths(text: str) -> None:
    assert is_path(text)


@pytest.mark.parametrize(
    "text", ["", "nets", "nets.Siren", ":Siren", "nets:", "a..b:c", "../a:b", "a:b:c", "a:b c"]
)
def test_other_texts(text: str) -> None:
    assert not is_path(text)


def test_nothing_is_imported_to_find_a_module(here: Path) -> None:
    package = here / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "nets.py").write_text("raise SystemExit('imported')\n")
    before = list(sys.path)
    found = find("own_package.nets")
    assert found is not None
    assert found.origin == str(package / "nets.py")
    assert sys.path == before
    assert "own_package" not in sys.modules
    assert missing("own_package.nets:Siren") == ""
    assert find("own_package.nets.deeper") is None
    assert find("__main__") is None


def test_a_missing_module_is_said_with_the_place(here: Path) -> None:
    (here / "own_package").mkdir()
    said = missing("own_package.other:Siren")
    assert "no module 'own_package.other', neither installed nor in the folder '" in said
    assert f"'{here.name}'" in said
    assert str(here) not in said, "it stands in records"
    assert "own_package/other.py" in said
    with pytest.raises(PdebenchError, match="no module 'own_package\\.other'"):
        load("own_package.other:Siren")


def test_an_object_is_loaded_with_its_neighbours(here: Path) -> None:
    (here / "own_parts.py").write_text("def part():\n    return 'part'\n")
    (here / "own_whole.py").write_text("import own_parts\n\nwhole = own_parts.part\n")
    assert load("own_whole:whole")() == "part"
    with pytest.raises(PdebenchError, match="of module own_whole: 'hole'; did you mean 'whole'"):
        load("own_whole:hole")


def test_what_is_installed_comes_first(here: Path) -> None:
    (here / "numpy.py").write_text("raise SystemExit('imported')\n")
    assert load("numpy:array") is sys.modules["numpy"].array


def test_a_module_that_fails_is_one_line(here: Path) -> None:
    (here / "own_broken.py").write_text("raise KeyError('two\\nlines')\n")
    with pytest.raises(PdebenchError) as caught:
        load("own_broken:Siren")
    assert str(caught.value).startswith("module 'own_broken' cannot be imported, KeyError: ")
    assert "\n" not in str(caught.value)
