"""Make `results/benchmarks.md` and its figure of what `make bench` left in `bench.json`.

    python tests/benchmarks/page.py [FOLDER]

FOLDER holds `benchmarks/bench.json`, by default results/ of this checkout; the page is written
into it, the figure beside the numbers. Nothing is measured.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, TypeAlias

from matplotlib.figure import Figure

from pdebench_lite.analysis.provenance import measured
from pdebench_lite.analysis.wording import MISSING
from pdebench_lite.report._markdown import escape
from pdebench_lite.report.figures import style
from pdebench_lite.text import counted

RESULTS = Path(__file__).parents[2] / "results"
NUMBERS, PAGE, FIGURE = "benchmarks/bench.json", "benchmarks.md", "benchmarks/rollout-memory"

Cells: TypeAlias = Sequence[object]
Timed: TypeAlias = dict[str, Any]  # a benchmark as pytest-benchmark writes it


# ---- numbers ---------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """Write a number with three digits; whole from a hundred on."""
    if value is None:
        return MISSING
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def spread(values: Sequence[float], unit: float) -> str:
    """Write the median in a unit, and the smallest and the largest where there are several."""
    shown = [number(v / unit) for v in (median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]} to {shown[2]})"


def quartiles(timed: Timed, unit: float) -> str:
    """Write the median of a benchmark in a unit with its quartiles."""
    stats = timed["stats"]
    middle, low, high = (number(stats[key] / unit) for key in ("median", "q1", "q3"))
    return f"{middle} ({low} to {high})"


def over(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Write the median over rounds of one time over another, with its quartiles."""
    ratios = sorted(a / b for a, b in zip(theirs, ours, strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    return f"{median(ratios):.2f} ({low:.2f} to {high:.2f})"


def table(head: Cells, rows: Iterable[Cells], text: int = 1) -> Iterator[str]:
    """Yield a table, whose first columns are text and the others numbers."""

    def line(cells: Cells) -> str:
        return f"| {' | '.join(escape(str(cell)) for cell in cells)} |"

    yield line(head)
    yield f"| {' | '.join([':---'] * text + ['---:'] * (len(head) - text))} |"
    yield from map(line, rows)
    yield ""


# ---- sections --------------------------------------------------------------------------------


def adam(found: Sequence[Timed]) -> Iterator[str]:
    rows = []
    for timed in found:
        info = timed["extra_info"]
        seconds, unit = info["seconds"], info["steps"] / 1e3
        compiled = seconds.get("pinn, compiled")
        for name, times in seconds.items():
            mine = name.startswith("pinn")
            rows.append((
                name, info["backend"], spread(times, unit),
                MISSING if name == "pinn" else over(times, seconds["pinn"]),
                over(times, compiled) if compiled and not mine else MISSING,
            ))  # fmt: skip
    yield (
        "Of the whole training loop, without reports: a network of 3 × 20 tanh "
        "on 2780 + 240 points of `burgers:forward` in float32, each library in a process of "
        f"its own, {found[0]['extra_info']['steps']} steps at a time, in turn. In torch, `pinn` "
        "compiles its loss where the budget is two minutes or more."
    )
    yield ""
    head = ("library", "backend", "step (ms)", "over pinn", "over pinn, compiled")
    yield from table(head, rows, text=2)
    yield (
        "Step: median, smallest and largest of the rounds; over: of the ratios of a round the "
        "median and the quartiles; above 1, `pinn` is faster."
    )


BY = {
    "as_pinn": "jets, reverse pass by hand (pinn)",
    "by_jets": "jets, reverse pass by the backend",
    "stacked": "written by hand, derivatives stacked",
    "nested": "nested autodiff",
}


def residual(found: Sequence[Timed]) -> Iterator[str]:
    rows = []
    for timed in found:
        info = timed["extra_info"]
        seconds, kept = info["seconds"], info.get("bytes", {})
        for name, times in seconds.items():
            base = "as_pinn" if "as_pinn" in seconds else "by_jets"
            rows.append((
                BY[name], info["backend"], info["precision"], number(median(times) * 1e3),
                over(times, seconds[base]) if name != base else MISSING,
                number(kept[name] / 1e6) if name in kept else MISSING,
                number(kept[name] / kept[base]) if name in kept else MISSING,
            ))  # fmt: skip
    yield (
        "Loss and gradient of the weights, for the mean squared residual of Burgers' equation at "
        "2780 points, network 3 × 20 tanh; in turn. Memory is what the reverse pass keeps: XLA's "
        "count of temporaries, or the tensors that autograd saves. Compiled, torch takes no nested "
        "reverse passes, and says nothing of what it keeps."
    )
    yield ""
    head = ("derivatives", "backend", "precision", "step (ms)", "over the first of its block",
            "memory (MB)", "memory, over")  # fmt: skip
    yield from table(head, rows, text=3)


def simulation(found: Sequence[Timed]) -> Iterator[str]:
    rows = []
    for timed in found:
        info = timed["extra_info"]
        seconds = info["seconds"]
        ours, *_ = seconds.values()
        rows += [
            (info["what"], name, number(median(times) / info["steps"] * 1e6),
             MISSING if times is ours else over(times, ours))
            for name, times in seconds.items()
        ]  # fmt: skip
    yield (
        "The published simulation, `burgers:pbdl`, 16 steps on 128 cells, JAX in float64; in turn. "
        "A gradient: of a round the fastest of five calls, each of one jitted function that gives "
        "loss and gradient. A step of gradient descent: one of the 50 of the published notebook, "
        "which ours take in a compiled loop and PhiFlow one by one, as its notebook does, with "
        "the gradient jitted, or gradient and update as one. All agree to 1e-10."
    )
    yield ""
    yield from table(("what", "by", "time (µs)", "over the first"), rows, text=2)


def rollouts(found: Sequence[Timed]) -> Iterator[str]:
    first = found[0]["extra_info"]
    shown = list(first["bytes"]["segments"])[::2]
    yield (
        f"Gradient of a rollout on {first['cells']} cells in float64. About √n segments are "
        "computed again in the reverse pass, so that few states are kept; up to 64 steps all are."
    )
    yield ""
    yield f"![Memory of a gradient against the number of steps]({FIGURE}.svg)"
    yield ""
    rows = []
    for timed in found:
        info = timed["extra_info"]
        for kept, by_steps in info["bytes"].items():
            times = info["seconds"]
            rows.append((
                kept, info["backend"], *(number(by_steps[n] / 1e6) for n in shown),
                number(median(times[kept]) * 1e3),
                MISSING if kept == "every state" else over(times[kept], times["every state"]),
            ))  # fmt: skip
    head = (
        "kept",
        "backend",
        *(f"{n} steps (MB)" for n in shown),
        f"{first['steps']} steps (ms)",
        "over every state",
    )
    yield from table(head, rows, text=2)


def methods(found: Sequence[Timed]) -> Iterator[str]:
    found = [timed for timed in found if timed["extra_info"]]  # not what was skipped
    rows = []
    for timed in found:
        info = timed["extra_info"]
        records = info["records"]

        def values(
            value: Callable[[Mapping[str, Any]], float | None],
            unit: float,
            records: Sequence[Mapping[str, Any]] = records,
        ) -> str:
            known = [v for record in records if (v := value(record)) is not None]
            return spread(known, unit) if known else MISSING

        rows.append((
            info["method"], info["backend"], info["problem"], records[0]["family"],
            round(median(record["steps"] for record in records)),
            values(lambda r: r["train_s"] / r["steps"] if r["steps"] else None, 1e-3),
            values(lambda r: r["compile_s"], 1.0), values(lambda r: r["data_s"], 1.0),
            values(lambda r: r.get("call_s"), 1e-3),
            number(timed["stats"]["median"] / len(records)),
        ))  # fmt: skip
    seeds = len(found[0]["extra_info"]["records"])
    yield (
        "As its record says, with default settings in float64: a cell of at most "
        f"{found[0]['extra_info']['limit']}, compilation apart; "
        + (f"median, smallest and largest of {seeds} seeds" if seeds > 1 else "one seed")
        + ". A step is what the method counts: an update of the parameters, whatever it takes, or "
        "a time step of a classical solver. A call is that of a derivative. A cell is all of it, "
        "from the start of its process on."
    )
    yield ""
    head = ("method", "backend", "task", "family", "steps", "step (ms)", "compile (s)",
            "data (s)", "call (ms)", "cell (s)")  # fmt: skip
    yield from table(head, sorted(rows, key=lambda row: (row[3], row[0], row[1])), text=4)


def harness(found: Sequence[Timed]) -> Iterator[str]:
    rows = []
    for timed in found:
        info = timed["extra_info"]
        if "seconds" in info:  # Lightning
            bare, driven = info["seconds"].values()
            rows.append((f"{timed['group']}: bare loop", spread(bare, 1e-3), MISSING))
            rows.append(("the same, driven by Lightning", spread(driven, 1e-3), over(driven, bare)))
        elif "charged over bare" in info:
            ratio = f"{info['charged over bare']:.3f}"
            rows.append(("steps of a millisecond, as charged, over bare ones", MISSING, ratio))
        else:
            rows.append((info["what"], quartiles(timed, 1e-3 * info.get("calls", 1)), MISSING))
    yield from table(("what", "time (ms)", "ratio"), rows)
    yield "Times: median and quartiles of the rounds; of the loop: smallest and largest."


def operators(found: Sequence[Timed]) -> Iterator[str]:
    times: dict[str, dict[str, str]] = {}
    for timed in found:
        info = timed["extra_info"]
        row = times.setdefault(info["operator"], {})
        row[f"{info['backend']}, {info['what']}"] = number(timed["stats"]["median"] * 1e6)
    columns = list(dict.fromkeys(column for row in times.values() for column in row))
    yield "A step on 512 cells in float64, and the gradient of its sum of squares; JAX compiled."
    yield ""
    head = ("operator", *(f"{column} (µs)" for column in columns))
    yield from table(
        head, [(name, *(row.get(c, MISSING) for c in columns)) for name, row in times.items()]
    )


SECTIONS: dict[str, tuple[Callable[[Sequence[Timed]], Iterator[str]], tuple[str, ...]]] = {
    "One step of Adam": (adam, ("test_peers.py::test_adam_step",)),
    "One step by jets, by hand and by nested autodiff": (residual, ("test_jets_speed.py::",)),
    "One gradient through a simulation": (simulation, ("test_peers.py::test_gradient",)),
    "Memory of long rollouts": (rollouts, ("test_rollout_memory.py::",)),
    "A step of every method": (methods, ("test_methods.py::",)),
    "The harness": (
        harness,
        ("test_harness_cost.py::", "test_many_records.py::", "test_lightning_overhead.py::"),
    ),
    "Operators": (operators, ("test_operators.py::",)),
}


# ---- the page --------------------------------------------------------------------------------


def document(results: Mapping[str, Any]) -> str:
    """Write the page of what a run of the benchmarks left."""
    lines = [
        "# Benchmarks",
        "",
        "What steps cost, in time and memory: `make bench` measures it and writes this page of "
        f"[bench.json]({NUMBERS}), in pytest-benchmark's format; "
        "`python tests/benchmarks/page.py` writes the page alone.",
        "",
        f"{conditions(results)}.",
        "",
    ]
    for title, (section, tests) in SECTIONS.items():
        found = [b for b in results["benchmarks"] if any(t in b["fullname"] for t in tests)]
        lines += [f"## {title}", ""]
        lines += section(found) if found else ["Not measured."]
        lines += [""] if lines[-1] else []
    return "\n".join(lines).rstrip("\n") + "\n"


def conditions(results: Mapping[str, Any]) -> str:
    """Say when, where, with which versions, and on how busy a machine it was measured."""
    machine, of = results["machine_info"], results["conditions"]
    record: Any = SimpleNamespace(started=results["datetime"], environment="this")
    said = [measured([record], lambda _: machine), counted(of["threads"], "thread")]
    if of["OMP_NUM_THREADS"]:
        said.append(f"OMP_NUM_THREADS={of['OMP_NUM_THREADS']}")
    said += [f"{name} {version}" for name, version in machine["installed"].items()]
    loads = [of.get("load_start"), of["load_end"]]
    if None not in loads:
        said.append(f"load {loads[0]} at the start and {loads[1]} at the end, its own included")
    if of["steal"] is not None:
        said.append(f"the host kept {of['steal']:.1%} of processor time")
    commit = results["commit_info"]
    said.append(f"commit {commit['id'][:12]}" + (", with changes" if commit["dirty"] else ""))
    text = "; ".join(said)
    return escape(text[0].upper() + text[1:])


def figure(results: Mapping[str, Any]) -> Figure | None:
    """Draw the memory of a gradient against the number of steps; None where it is not known."""
    from matplotlib.lines import Line2D
    from seaborn import color_palette

    found = [b["extra_info"] for b in results["benchmarks"] if "rollout_memory" in b["fullname"]]
    if not found:
        return None
    palette = color_palette("colorblind")
    looks = {"every state": (palette[3], "s"), "segments": (palette[0], "o")}
    labels = {"every state": "every state kept", "segments": r"about $\sqrt{n}$ segments"}
    drawn = style.figure(style.PLAIN.column, 2.5)
    axes = drawn.subplots()
    steps, sizes = set(), []
    lines = dict(zip(("torch", "jax"), style.LINES, strict=False))  # as in every figure
    for info in found:
        for kept, by_steps in info["bytes"].items():
            x, y = [int(n) for n in by_steps], [b / 1e6 for b in by_steps.values()]
            color, marker = looks[kept]
            axes.plot(x, y, color=color, marker=marker, ls=lines[info["backend"]])
            steps.update(x)
            sizes += y
    style.log_axis(axes.xaxis, steps)
    style.log_axis(axes.yaxis, sizes)
    axes.set_xlabel("time steps n of the rollout")
    axes.set_ylabel("memory of a gradient (MB)")
    axes.grid(True, lw=0.3, color="0.9")
    style.bare(axes)
    handles = [
        Line2D([], [], color=color, marker=marker, label=labels[kept])
        for kept, (color, marker) in looks.items()
    ]
    handles += [
        Line2D([], [], color="k", ls=lines[info["backend"]], label=info["backend"])
        for info in found
    ]
    style.legend_below(drawn, handles)
    return drawn


def write(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write page and figure into a folder; returns their paths."""
    page = folder / PAGE
    (folder / FIGURE).parent.mkdir(parents=True, exist_ok=True)
    page.write_text(document(results), encoding="utf-8")
    with style.styled():
        drawn = figure(results)
        return [page, *(style.save(drawn, folder / FIGURE, ("svg",)) if drawn else [])]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    for path in write(json.loads((target / NUMBERS).read_text(encoding="utf-8")), target):
        print(path)
