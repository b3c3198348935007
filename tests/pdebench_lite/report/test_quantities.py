"""One list: a quantity that is registered is a column of every report, and nothing is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite import Metric, Quantity
from pdebench_lite.analysis import Source, compare
from pdebench_lite.registry.discovery import registry
from pdebench_lite.report import catalogue
from pdebench_lite.report.comparison import render_comparison
from pdebench_lite.report.comparison.aggregate import render_aggregate
from pdebench_lite.report.quantities import described, of_metric, over_seeds, quantities
from pdebench_lite.report.show import describe
from pdebench_lite.report.table import FORMATS, render
from pdebench_lite.report.web.write import gather, write_report
from pdebench_lite.store.records import Record, Store

LABELS = Quantity(
    "labels_per_s", "Labels per second", "labels that were taken, over the charged time",
    read=lambda r: r.sees["labels"] / r.charged_s if "labels" in r.sees and r.charged_s else None,
    head="labels/s", unit="1/s", smaller_is_better=False,
)  # fmt: skip


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Quantity]:
    """A quantity that a plugin brings."""
    monkeypatch.setitem(registry(("quantity",)).quantities, LABELS.name, LABELS)
    monkeypatch.setitem(
        registry(("quantity",)).owners, ("quantity", LABELS.name), "plugin test (test)"
    )
    quantities.cache_clear()
    yield LABELS
    quantities.cache_clear()


@pytest.fixture
def stored(make: Any, publish: Any, tmp_path: Path) -> Store:
    """Two seeds of a method with labels, and a method without."""
    store = Store(tmp_path / "results")
    for record in (make("mlp", seed=0), make("mlp", seed=1, charged_s=12.1), make("pinn")):
        publish(store, record)
    return store


def plain(text: str) -> str:
    return re.sub(r"[\\{}]", "", text)


@pytest.mark.parametrize("format", FORMATS)
def test_a_quantity_is_a_column_of_every_table(
    registered: Quantity, stored: Store, format: str
) -> None:
    words = registered.name if format in ("csv", "json") else registered.head
    value = "82.6" if format in ("text", "md", "latex") else "82.6446"  # 2000 labels in 24.2 s
    records = stored.load().records
    answer = plain(render(records, format))
    assert words in answer
    assert value in answer
    comparison = compare([Source(stored)])
    median = "124" if format in ("text", "md", "latex") else "123.96"
    for answer in (
        plain(render_aggregate(comparison, format)),
        plain(render_comparison(comparison, format)),
    ):
        assert words in answer
        assert median in answer


def test_a_quantity_is_on_the_page_and_in_show(
    registered: Quantity, stored: Store, tmp_path: Path
) -> None:
    records = stored.load().records
    overview = gather(stored, records)["overview"]
    for table in (overview["runs"], overview["problems"][0]["leaderboard"]):
        (place,) = (i for i, c in enumerate(table["columns"]) if c["head"] == "labels/s")
        assert table["columns"][place]["unit"] == "1/s"
        cells = [row["cells"][place] for group in table["groups"] for row in group["rows"]]
        assert any(text in ("82.6", "124") for text, _ in cells)
    write_report(stored, records, tmp_path / "report.html")
    assert "labels/s" in (tmp_path / "report.html").read_text()
    record = next(r for r in records if r.method == "mlp" and r.seed == 0)
    lines = describe(record, stored.folder(record.cell)).splitlines()
    at = lines.index("further quantities")
    assert lines[at + 1].split(maxsplit=2) == [
        "labels_per_s", "82.6", "labels that were taken, over the charged time [1/s]",
    ]  # fmt: skip


def test_who_does_not_know_a_quantity_has_no_value(registered: Quantity, make: Any) -> None:
    assert "labels/s" not in render([make("pinn")], "text"), "nobody knows it: no column"
    lines = render([make("mlp"), make("pinn")], "md").splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line.startswith("|")]
    place = rows[0].index("labels/s (1/s)")
    cells = {row[rows[0].index("method")]: row[place] for row in rows}
    assert (cells["mlp"], cells["pinn"]) == ("82.6", "–")


def test_everything_that_a_record_holds_is_described() -> None:
    undescribed = set(Record.model_fields) - set(quantities()) - {"schema_version", "metrics"}
    assert undescribed == set()
    for quantity in quantities().values():
        assert quantity.label
        assert not quantity.meaning.endswith(".")
    heads = [q.head for q in quantities().values() if "records" in q.tables]
    assert len(heads) == len(set(heads))
    listed = catalogue.quantities(registry(("quantity",)))
    assert {entry["name"] for entry in listed} == set(quantities())


def test_metrics_are_quantities(make: Any) -> None:
    error = described("rel_l2")
    assert (error.label, error.written) == ("Relative L2 error", "error")
    assert error.value(make(metrics={"rel_l2": 0.25})) == 0.25
    assert described("not_installed_here").label == "not_installed_here"
    cost = of_metric(Metric("x_s", "a time", lambda e: 1.0, unit="s", machine=True))
    assert (cost.unit, cost.machine, cost.smaller_is_better) == ("s", True, True)


@pytest.mark.parametrize(
    ("how", "value"), [("median", 2.0), ("mean", 3.0), ("rms", 14.0**0.5), ("share", 1 / 3)]
)
def test_what_sums_a_quantity_up(make: Any, how: Any, value: float) -> None:
    quantity = Quantity("q", "Q", read=lambda r: r.details.get("q"), over_seeds=how)
    records = [make(details={"q": q}) for q in (1, 2, 6)] if how != "rms" else [
        make(details={"q": q}) for q in (1, 4, 5)
    ]  # fmt: skip
    assert over_seeds(quantity, [*records, make()]) == pytest.approx(value), "None does not count"
