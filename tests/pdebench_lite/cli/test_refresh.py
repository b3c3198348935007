"""`pdebench refresh`: tables in documents are those of the records, everything else is left."""

import pytest

from pdebench_lite.cli import main
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Store, record_of

END = "<!-- /pdebench -->"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("runs"))
    for seed in (0, 1):
        cell = Cell(
            problem="toy", task="forward", problem_params={}, problem_label="toy",
            method="fake", family="other", config={}, label="fake", backend="numpy",
            dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=seed,
        )  # fmt: skip
        metrics = {"rel_l2": 0.1 + seed}
        record = record_of(cell, "ok", metrics=metrics, ranked=["rel_l2"], charged_s=1.0)
        store.publish(record, store.workspace(cell.hash))
    return store.root


@pytest.fixture
def document(tmp_path, monkeypatch, results):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "paper.md"
    path.write_text(
        f"# Title\n\n<!-- pdebench table --results {results} --format md -->\nold\n{END}\n"
        f"text\n<!-- pdebench compare --results {results} --tables final --format md -->\n{END}\n"
    )
    return path


def test_tables_are_made_again_and_the_rest_is_left(document, results, capsys):
    assert main(["refresh", "--check", str(document)]) == 1
    assert "out of date" in capsys.readouterr().out
    assert "old" in document.read_text(), "--check changes nothing"
    assert main(["refresh", str(document)]) == 0
    text = document.read_text()
    capsys.readouterr()
    assert main(["table", "--results", str(results), "--format", "md"]) == 0
    table = capsys.readouterr().out
    assert text.startswith(f"# Title\n\n<!-- pdebench table --results {results} --format md -->\n")
    assert f"-->\n{table}{END}\ntext\n" in text
    assert "old" not in text
    assert "final error" in text.partition("text\n")[2]
    assert main(["refresh", "--check", str(document)]) == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nothing", "holds no table"),
        ("<!-- pdebench table -->\n", ":1: no line '<!-- /pdebench -->' ends this table"),
        (
            f"<!-- pdebench table --bad -->\n{END}\n",
            ":1: No such option: --bad (see: ",
        ),
        (
            f"\n<!-- pdebench table -->\n<!-- pdebench table -->\n{END}\n",
            ":2: no line '<!-- /pdebench -->' ends this table",
        ),
        (f"<!-- pdebench run -->\n{END}\n", ":1: 'pdebench run' makes no table; write one of"),
        (f"<!-- pdebench table 'x -->\n{END}\n", "is not a command"),
        (f"<!-- pdebench table --results none -->\n{END}\n", ":1: no results folder 'none'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(document, text, complaint, capsys):
    document.write_text(text)
    assert main(["refresh", str(document)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert document.read_text() == text


def test_a_document_that_is_not_there(tmp_path, capsys):
    assert main(["refresh", str(tmp_path / "none.md")]) == 2
    assert "cannot read" in capsys.readouterr().err
