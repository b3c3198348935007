"""The page as a file: one, whole, and harmless."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report.web.page import inert_json
from pdebench_lite.report.web.write import write_report
from pdebench_lite.store.records import Store

_ADDRESSES = {"src", "href", "action", "srcset", "data", "poster"}


class _Reader(HTMLParser):
    """Collects scripts, addresses and element names, as a browser's parser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        given = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in _ADDRESSES]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag == "script":
            self.scripts.append((given, ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data


@pytest.fixture(scope="module")
def read(page_file: Path) -> _Reader:
    return _Reader(page_file.read_text(encoding="utf-8"))


def test_data_comes_back_as_it_went_in(read: _Reader, parts: Mapping[str, Any]) -> None:
    held = {
        (attributes["id"] or "").removeprefix("part-"): json.loads(text)
        for attributes, text in read.scripts
        if attributes.get("type") == "application/json"
    }
    assert held == parts


def test_nothing_is_asked_of_the_network(read: _Reader) -> None:
    assert [a for a in read.addresses if not a.startswith(("#", "data:"))] == []
    assert "default-src 'none'" in read.policy


def test_only_our_scripts_may_run(read: _Reader) -> None:
    run = [text for attributes, text in read.scripts if "type" not in attributes]
    allowed = set(re.findall(r"'(sha256-[^']+)'", read.policy))
    hashes = {
        "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in run
    }
    assert hashes == allowed
    script_rule = next(rule for rule in read.policy.split(";") if "script-src" in rule)
    assert "unsafe" not in script_rule


def test_hostile_names_stay_text(read: _Reader, page_file: Path, hostile: str) -> None:
    assert "img" not in read.names
    assert hostile not in page_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "&lt;", "\u2028", "é"])
def test_json_is_inert(text: str) -> None:
    written = inert_json({"a": text})
    assert json.loads(written) == {"a": text}
    assert not set(written) & set("<>&\u2028é")
    assert html.unescape(written) == written


def test_it_is_the_same_each_time(page_file: Path, results: Store, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    size = write_report(results, results.load().records, again)
    assert again.read_bytes() == page_file.read_bytes()
    assert size == again.stat().st_size
    assert list(tmp_path.iterdir()) == [again]  # nothing partial is left


def test_a_folder_that_cannot_be_written(results: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PdebenchError, match=r"cannot write the report to .*; choose another file"):
        write_report(results, results.load().records, tmp_path / "file" / "report.html")


def test_the_command(results: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["report", "--out", str(out), "--results", str(results.root)]) == 0
    assert re.fullmatch(
        rf"{re.escape(str(out))}: 13 records, \d+\.\d MB\n", capsys.readouterr().out
    )
    assert out.stat().st_size > 1e6


@pytest.mark.parametrize(
    ("out", "said"),
    [("page.txt", "does not end in .html; write --out page.txt.html"), (".", "is a folder")],
)
def test_a_bad_name(out: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--out", out]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert said in line
