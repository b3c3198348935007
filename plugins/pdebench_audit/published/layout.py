"""Finding axes and fields in a published file, by name or by shape; guesses are never silent."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from pdebench_audit.published.contents import Contents
from pdebench_lite.errors import PdebenchError, some
from pdebench_lite.problem import Axis, Domain

_INDEX = re.compile(r"(.*)\[(\d+)\]")
_SPAN = re.compile(r"([^:]+):([^:]+):(\d+)")


@dataclass(frozen=True)
class Published:
    """What a file says of the solution.

    Attributes:
        points: axis name -> (n,).
        fields: field name -> (n,).
        found: one line on what was taken for what.
        left_out: points that hold no finite number.
        repeated: points that the file holds again, with the same values; they count once.
    """

    points: dict[str, np.ndarray]
    fields: dict[str, np.ndarray]
    found: str
    left_out: int = 0
    repeated: int = 0


def locate(
    contents: Contents,
    domain: Domain,
    fields: Sequence[str],
    named: Mapping[str, str] | None = None,
    order: Sequence[str] = (),
) -> Published:
    """Find the axes and the fields of a problem in a file.

    Args:
        contents: what the file holds.
        domain: the problem's domain.
        fields: the problem's fields.
        named: axis or field -> name of its array; `name[i]` is the i-th slice of an array. An
            axis may also be numbers: `0,0.5,1`, or `0:1:11` for eleven from 0 to 1.
        order: names of the axes in the order of the field's array, where shapes do not say.

    Raises:
        PdebenchError: something is missing or ambiguous; the line says which option to give.
    """
    given = dict(named or {})
    unknown = set(given) - {*domain.names, *fields}
    if unknown:
        raise PdebenchError(f"the problem has no '{unknown.pop()}'; it has {_all(domain, fields)}")
    if order and sorted(order) != sorted(domain.names):
        raise PdebenchError(f"--order '{','.join(order)}' must name {', '.join(domain.names)} once")
    moments = domain.time is not None and _numbers(given.get(domain.time.name, "")) is not None
    contents = _named_by_comment(contents, [*domain.names, *fields])
    if contents.table is not None and (moments or not contents.arrays):
        return _checked(*_columns(contents, contents.table, domain, fields, given), domain)
    axes = {a.name: _axis(a, contents, given) for a in domain.axes}
    taken = {name for name, _ in axes.values()}
    values = {f: _field(f, contents, given, taken, axes, len(fields)) for f in fields}
    points, flat = _points(
        {name: v for name, (_, v) in axes.items()}, values, contents.dims,
        {name: source for name, (source, _) in axes.items()}, tuple(order),
    )  # fmt: skip
    words = [f"{name} = {source}" for name, (source, _) in axes.items()]
    words += [f"{name} = {source} {_shape(v)}" for name, (source, v) in values.items()]
    return _checked(points, flat, ", ".join(words), domain)


def _all(domain: Domain, fields: Sequence[str]) -> str:
    return ", ".join([*domain.names, *fields])


def _shape(values: np.ndarray) -> str:
    return "×".join(map(str, values.shape))


# ---- arrays by name ----------------------------------------------------------------------------


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower())


def _axis(axis: Axis, contents: Contents, given: Mapping[str, str]) -> tuple[str, np.ndarray]:
    """Return the name and the values of an axis."""
    arrays = contents.arrays
    if axis.name in given:
        numbers = _numbers(given[axis.name])
        return ("numbers given", numbers) if numbers is not None else _pick(
            contents, given[axis.name], axis.name
        )  # fmt: skip
    a = axis.name
    usual = {a, 2 * a, f"{a}s", f"{a}coordinate", f"{a}coord", f"{a}grid", f"{a}star", f"{a}mesh"}
    usual |= {"time", "times"} if a == "t" else set()
    fitting = _named(a, usual, arrays)
    if not fitting:  # by its values: the only sequence that runs from one end to the other
        fitting = [name for name, v in arrays.items() if _runs_along(v, axis)]
    if len(fitting) == 1:
        return fitting[0], arrays[fitting[0]]
    raise PdebenchError(_unclear(f"axis {a}", fitting, contents, a))


def _named(name: str, usual: set[str], arrays: Iterable[str]) -> list[str]:
    """Return the arrays that are called so: exactly, or else by a usual variant."""
    arrays = list(arrays)
    return [k for k in arrays if k == name] or [k for k in arrays if _plain(k) in usual]


def _runs_along(values: np.ndarray, axis: Axis) -> bool:
    if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0).all():
        return False
    margin = 0.02 * axis.length + 2 * axis.length / values.size
    ends = float(values[0]) - axis.lower, axis.upper - float(values[-1])
    return all(-1e-9 * axis.length <= end <= margin for end in ends)


def _field(
    field: str,
    contents: Contents,
    given: Mapping[str, str],
    taken: set[str],
    axes: Mapping[str, tuple[str, np.ndarray]],
    count: int,
) -> tuple[str, np.ndarray]:
    """Return the name and the values of a field."""
    arrays = contents.arrays
    if field in given:
        return _pick(contents, given[field], field)
    usual = {field, 2 * field, f"{field}sol", f"{field}exact", f"{field}star", f"{field}ref"}
    usual |= {"solution", "sol", "exact"} if count == 1 else set()
    shapes = {tuple(sorted(v.size for _, v in axes.values()))}
    fitting = _named(field, usual, [name for name in arrays if name not in taken])
    if not fitting and count == 1:
        fitting = [
            name
            for name, v in arrays.items()
            if name not in taken and tuple(sorted(v.shape)) in shapes
        ]
    if len(fitting) == 1:
        return fitting[0], arrays[fitting[0]]
    raise PdebenchError(_unclear(f"field {field}", fitting, contents, field))


def _unclear(what: str, fitting: list[str], contents: Contents, name: str) -> str:
    several = " and ".join(fitting) if len(fitting) < 3 else some(fitting)
    problem = f"{several} could be the {what}" if fitting else f"no array is the {what}"
    return f"{problem}; the file holds {_held(contents)}; name it: {_option(name)} ARRAY"


def _held(contents: Contents) -> str:
    """Return what a file holds, with shapes; the first of many names."""
    held = [f"{k} ({_shape(v) or 'a number'})" for k, v in contents.arrays.items()]
    return some([*held, *(f"{k} ({what})" for k, what in contents.left_out.items())])


def _option(name: str) -> str:
    return f"--{name}" if name in ("x", "t", "u") else f"--name {name}="


def _pick(contents: Contents, name: str, role: str) -> tuple[str, np.ndarray]:
    arrays = contents.arrays
    sliced = _INDEX.fullmatch(name)
    base = sliced[1] if sliced and name not in arrays else name
    if base not in arrays:
        if base in contents.left_out:
            raise PdebenchError(f"'{base}' for {role} holds {contents.left_out[base]}")
        raise PdebenchError(f"no array '{base}' for {role}; the file holds {_held(contents)}")
    values = arrays[base]
    if base == name:
        return name, values
    assert sliced is not None
    i = int(sliced[2])
    if values.ndim == 0 or i >= values.shape[0]:
        raise PdebenchError(f"'{name}': {base} has shape {_shape(values)}, so it has no slice {i}")
    return name, np.squeeze(values[i])


def _numbers(text: str) -> np.ndarray | None:
    """Read `0,0.5,1` or `0:1:11`; None if it is neither."""
    try:
        if span := _SPAN.fullmatch(text.strip()):
            return np.linspace(float(span[1]), float(span[2]), int(span[3]))
        return np.array([float(word) for word in text.split(",")])
    except ValueError:
        return None


# ---- points ------------------------------------------------------------------------------------


def _points(
    axes: Mapping[str, np.ndarray],
    values: Mapping[str, tuple[str, np.ndarray]],
    dims: Mapping[str, tuple[str, ...]],
    sources: Mapping[str, str],
    order: tuple[str, ...],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return flat points and fields, of a tensor grid or of axes given at every point."""
    points: dict[str, np.ndarray] | None = None
    flat = {}
    for name, (source, array) in values.items():
        if all(v.shape == array.shape for v in axes.values()):
            mine = {a: v.ravel() for a, v in axes.items()}
        else:
            found = _order(name, array, axes, dims.get(source, ()), sources, order)
            mesh = np.meshgrid(*(axes[a] for a in found), indexing="ij")
            mine = {a: m.ravel() for a, m in zip(found, mesh, strict=True)}
        if points is not None and any(not np.array_equal(points[a], mine[a]) for a in axes):
            raise PdebenchError(f"field {name} lies on other points than the fields before it")
        points, flat[name] = mine, array.ravel()
    assert points is not None
    return points, flat


def _order(
    field: str,
    array: np.ndarray,
    axes: Mapping[str, np.ndarray],
    dims: tuple[str, ...],
    sources: Mapping[str, str],
    order: tuple[str, ...],
) -> tuple[str, ...]:
    """Return the axes in the order of an array: as told, as its dimensions say, or by sizes."""
    shape = ", ".join(f"{a} {_shape(v)}" for a, v in axes.items())
    if any(v.ndim != 1 for v in axes.values()):
        raise PdebenchError(f"field {field} is {_shape(array)}, but its axes are {shape}")
    fitting = [p for p in permutations(axes) if tuple(axes[a].size for a in p) == array.shape]
    if order:
        fitting = [p for p in fitting if p == order]
    elif len(fitting) > 1 and len(dims) == array.ndim:
        fitting = [p for p in fitting if tuple(sources[a] for a in p) == dims] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        told = f" in the order {','.join(order)}" if order else ""
        raise PdebenchError(f"field {field} is {_shape(array)}, but its axes{told} are {shape}")
    either = " or ".join(",".join(p) for p in fitting)
    raise PdebenchError(
        f"field {field} is {_shape(array)} either way; name its axes: --order {either}"
    )


# ---- tables without names ----------------------------------------------------------------------


def _named_by_comment(contents: Contents, known: Sequence[str]) -> Contents:
    """Take the names of a table's columns from the comment above it, if they are there.

    Raises:
        PdebenchError: it names them in another order, and not every column.
    """
    words, table = contents.header, contents.table
    if contents.arrays or contents.times or table is None:
        return contents
    told = [word for word in words if word in known]
    if sorted(told) != sorted(known):
        return contents
    if len(words) == table.shape[1] == len(set(words)):
        return replace(contents, arrays=dict(zip(words, table.T, strict=True)))
    if told != list(known) and table.shape[1] == len(known):
        raise PdebenchError(
            f"the comment above the table names {', '.join(told)} among other words; write a "
            f"first line of names without a comment sign, such as {','.join(told)}"
        )
    return contents


def _columns(
    contents: Contents,
    table: np.ndarray,
    domain: Domain,
    fields: Sequence[str],
    given: Mapping[str, str],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], str]:
    """Read columns without names: points and fields, or space and then one column per moment."""
    space, columns = [a.name for a in domain.space], table.shape[1]
    moments = columns - len(space)
    times = np.array(contents.times) if len(contents.times) == moments else None
    if domain.time is not None and domain.time.name in given:
        times = _numbers(given[domain.time.name])
    if times is None and columns == len(domain.names) + len(fields):
        names = [*domain.names, *fields]
        flat = dict(zip(names, table.T, strict=True))
        return (
            {a: flat[a] for a in domain.names}, {f: flat[f] for f in fields},
            f"columns {', '.join(names)}",
        )  # fmt: skip
    if domain.time is None or len(fields) != 1 or moments < 1:
        raise PdebenchError(
            f"the table has {columns} columns without names; write a first line of names: "
            f"{','.join([*domain.names, *fields])}"
        )
    if times is None or times.size != moments:
        said = "no times" if times is None else f"{times.size} times"
        raise PdebenchError(
            f"the table has {columns} columns: {', '.join(space)} and {moments} moments, for which "
            f"there are {said}; give them: --t "
            f"{domain.time.lower:g}:{domain.time.upper:g}:{moments}"
        )
    points = {a: np.repeat(table[:, i], moments) for i, a in enumerate(space)}
    points[domain.time.name] = np.tile(times, len(table))
    field = fields[0]
    told = f"{field} at {moments} times from {times[0]:g} to {times[-1]:g}"
    flat = {field: table[:, len(space) :].ravel()}
    return points, flat, f"columns {', '.join(space)}, then {told}"


def _checked(
    points: dict[str, np.ndarray], fields: dict[str, np.ndarray], found: str, domain: Domain
) -> Published:
    """Leave out what is not a number, and refuse points outside the domain.

    Raises:
        PdebenchError: a point lies outside or has two values, or nothing is left.
    """
    for name, values in (*points.items(), *fields.items()):
        if not np.isfinite(values).any():
            raise PdebenchError(f"no finite number in {name} ({found})")
    use = np.all([np.isfinite(v) for v in (*points.values(), *fields.values())], axis=0)
    if not use.any():
        raise PdebenchError(f"no finite number in the file ({found})")
    again = _repeated(points, fields, use)
    left_out, use = int((~use).sum()), use & ~again
    points = {a: v[use] for a, v in points.items()}
    for axis in domain.axes:
        low, high = float(points[axis.name].min()), float(points[axis.name].max())
        slack = 1e-6 * axis.length  # coordinates in single precision
        if low < axis.lower - slack or high > axis.upper + slack:
            raise PdebenchError(
                f"{axis.name} runs from {low:g} to {high:g} in the file ({found}), but from "
                f"{axis.lower:g} to {axis.upper:g} in the problem; give both in the same units"
            )
    fields = {f: v[use] for f, v in fields.items()}
    return Published(points, fields, found, left_out, int(again.sum()))


def _repeated(
    points: Mapping[str, np.ndarray], fields: Mapping[str, np.ndarray], use: np.ndarray
) -> np.ndarray:
    """Return which points stand in the file before, with the same values.

    Raises:
        PdebenchError: a point has two different values.
    """
    import pandas as pd

    rows = pd.DataFrame({**points, **fields})[use]
    again = np.zeros(use.size, bool)
    again[use] = rows.duplicated()
    twice = rows[~rows.duplicated()]
    different = twice[twice.duplicated(list(points), keep=False)]
    if len(different):
        first, second = (
            different.merge(different.iloc[:1][list(points)]).iloc[i].to_dict() for i in (0, 1)
        )
        where = ", ".join(f"{name} = {first[name]:.6g}" for name in points)
        values = " and ".join(
            ", ".join(f"{name} = {one[name]:.6g}" for name in fields) for one in (first, second)
        )
        raise PdebenchError(f"the file gives two values at {where}: {values}; keep one")
    return again
