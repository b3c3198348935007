"""What was found in a published file, as text or JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_audit.published import Finding, Published
from pdebench_lite.analysis.wording import clean, error_text, finite

_MOMENTS = 11


def describe_finding(path: Path, label: str, published: Published, finding: Finding) -> str:
    """Return the finding as plain lines that end with a newline."""
    return "\n".join(_lines(path, label, published, finding)) + "\n"


def _lines(path: Path, label: str, published: Published, found: Finding) -> Iterator[str]:
    yield f"{clean(path)} against the certified reference of {clean(label)}"
    yield f"  read as           {clean(published.found)}"
    left = [f"{published.left_out} without a finite number left out"] * bool(published.left_out)
    left += [f"{published.repeated} that stand there again counted once"] * bool(published.repeated)
    yield f"  points            {', '.join([str(found.points), *left])}"
    place = ", ".join(f"{name} = {value:.6g}" for name, value in found.where.items())
    within = found.rel_l2 <= found.bound
    note = " (within our own bound)" if within else ""
    yield f"  relative L2 error {error_text(found.rel_l2)}{note}"
    yield f"  largest error     {error_text(found.largest)} in {found.field} at {place}"
    yield f"  our own bound     {error_text(found.bound)}"
    if found.times is not None and found.rel_l2_at is not None and found.largest_at is not None:
        yield "  over time         t           rel_l2      largest"
        last = found.times.size - 1
        for i in np.unique(np.linspace(0, last, min(_MOMENTS, last + 1)).round().astype(int)):
            t, error, largest = found.times[i], found.rel_l2_at[i], found.largest_at[i]
            yield f"                    {t:<10.6g}  {error_text(error):<10}  {error_text(largest)}"
    if found.foreign:
        yield f"  {_foreign(found, clean(label))}"
    elif not within:
        yield f"  errors near or below {error_text(found.rel_l2)} cannot be ranked by this file"


def _foreign(found: Finding, label: str) -> str:
    probably = f"this is probably not {label} (another equation, parameter, sign, order or unit)"
    if found.initial_rel_l2 is None:
        return f"it is {100 * found.rel_l2:.3g} % off: {probably}"
    off = 100 * found.initial_rel_l2
    return f"already at its first time it is {off:.3g} % off: the initial state differs; {probably}"


def finding_json(path: Path, label: str, published: Published, finding: Finding) -> str:
    """Return the finding as JSON; every moment is in it."""
    times: list[dict[str, Any]] | None = None
    if finding.times is not None and finding.rel_l2_at is not None:
        assert finding.largest_at is not None
        columns = (finding.times.tolist(), finding.rel_l2_at.tolist(), finding.largest_at.tolist())
        rows = zip(*columns, strict=True)
        times = [{"t": t, "rel_l2": e, "largest": m} for t, e, m in rows]
    values = {
        "file": str(path),
        "problem": label,
        "read_as": published.found,
        "points": finding.points,
        "left_out": published.left_out,
        "repeated": published.repeated,
        "rel_l2": finding.rel_l2,
        "largest": finding.largest,
        "largest_in": finding.field,
        "largest_at": dict(finding.where),
        "reference_bound": finding.bound,
        "initial_rel_l2": finding.initial_rel_l2,
        "probably_another_problem": finding.foreign,
        "times": times,
    }
    return json.dumps(finite(values), indent=1, allow_nan=False) + "\n"
