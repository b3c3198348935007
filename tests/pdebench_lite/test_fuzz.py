"""Over 100,000 damaged inputs: whatever a user, a file or a disk hands us, one line comes back."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.study import parse_duration, parse_size
from pdebench_lite.runner.study.file import study_of
from pdebench_lite.runner.study.yaml_source import parse, read
from pdebench_lite.selectors import parse_selectors
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import RECORD, Store, record_of

SELECTORS = (
    "burgers", "burgers:forward[nu=0.02]", "pinn[width=30,optimizer=adam+lbfgs],mlp",
    "p[a=[1,2,[3]],b='x,]y',c=\"q\\\"\",d={\"e\": [1]}]", "a[b=true,c=None,d=1e-3,e=-.5,f=]",
    "30s", "1.5h", "4GB", "2 GiB", ".5MB",
)  # fmt: skip
STUDIES = (
    "problem: toy\nmethods: fake\nmax-time: 30s\nseeds: 3\n",
    "problem:\n  - toy:\n      c: [1, 2]\n  - toy:reconstruction[points=8]\nmethods:\n"
    "  - fake[act=exact]\n  - twin:\n      seconds: [[1], 2]\nbackend: [numpy]\nseed: [0, 5]\n"
    "overrides:\n  toy:\n    max-steps: [3, 4]\n    settings:\n      fake: {act: sleep}\n",
    '{"problem": ["toy"], "methods": {"fake": null}, "dtype": "float32", "device": "cpu"}',
)
PIECES = (
    "[", "]", "{", "}", ":", ": ", ",", "=", "'", '"', "\\", "\n", "\n  ", "\t", "- ", "#", "&a",
    "*a", "!!int ", "|", ">", "---", "?", "%", "@", "null", "true", "NaN", "1e999", "-1", "0",
    "9" * 30, "\x00", "\x1b[31m", "\ud800", "\u2028", "é", "𝕏", "toy", "fake", "problem:", "🙂",
    "..", "/etc/passwd", "[" * 60, "\r", "<<: ", "0x", "~", "\ufeff",
)  # fmt: skip


def damaged(texts: tuple[str, ...], count: int, seed: int) -> Iterator[str]:
    """Yield texts with pieces put in, cut out, doubled and swapped, the same ones each time."""
    draw = random.Random(seed)
    for _ in range(count):
        text = draw.choice(texts)
        for _ in range(draw.randint(1, 6)):
            i, j = sorted(draw.randrange(len(text) + 1) for _ in range(2))
            piece = draw.choice(PIECES) if draw.random() < 0.8 else chr(draw.randrange(0x11000))
            text = draw.choice(
                [
                    text[:i] + piece + text[i:],
                    text[:i] + piece + text[i + len(piece) :],
                    text[:i] + text[min(j, i + 8) :],
                    text[:j] + text[i:],
                    text[:i],
                ]
            )
        yield text


def survives(call: Callable[[str], object], texts: Iterator[str]) -> tuple[int, int]:
    """Hand texts to a function; returns how many it took and how many it refused in one line."""
    taken = refused = 0
    for text in texts:
        try:
            call(text)
            taken += 1
        except PdebenchError as error:
            assert str(error).isprintable(), text  # noqa: PT017
            refused += 1
        except Exception as error:
            pytest.fail(f"{text!r}: {type(error).__name__}: {error}")
    return taken, refused


@pytest.mark.slow
def test_selectors_durations_sizes() -> None:
    for i, call in enumerate((parse_selectors, parse_duration, parse_size)):
        taken, refused = survives(call, damaged(SELECTORS, 20_000, i))
        assert min(taken, refused) > 100, "the inputs are neither all good nor all bad"


@pytest.mark.slow
def test_study_files(fakes: Path, tmp_path: Path) -> None:
    known, file = registry(), tmp_path / "s.yaml"

    def plan(text: str) -> None:
        study_of(parse(text, "s.yaml")).plan(known)

    def from_disk(text: str) -> None:
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        read(file)

    taken, refused = survives(plan, damaged(STUDIES, 25_000, 3))
    assert min(taken, refused) > 100
    taken, refused = survives(from_disk, damaged(STUDIES, 5_000, 4))
    assert min(taken, refused) > 100


@pytest.mark.slow
def test_records(tmp_path: Path) -> None:
    cell = Cell(
        problem="toy", task="forward", problem_params={"c": 1.0}, problem_label="toy",
        method="fake", family="other", config={"act": "exact"}, label="fake", backend="numpy",
        dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=0,
    )  # fmt: skip
    record = record_of(cell, "ok", metrics={"rel_l2": 0.25}, sees={"labels": 3}, steps=3)
    store = Store(tmp_path)
    folder = store.publish(record, store.workspace(cell.hash))
    assert folder is not None
    text = (folder / RECORD).read_text()

    def load(damage: str) -> None:
        (folder / RECORD).write_bytes(damage.encode("utf-8", "surrogatepass"))
        loaded = store.load()
        assert len(loaded.records) + len(loaded.unsound) == 1
        for line in loaded.unsound:
            raise PdebenchError(line)

    taken, refused = survives(load, damaged((text, json.dumps(json.loads(text))), 20_000, 5))
    assert min(taken, refused) > 100
