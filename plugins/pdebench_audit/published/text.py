"""Tables in text: comments, one line of names, rows of equal length. No cell is guessed."""

import codecs
import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pdebench_audit.published.contents import Contents
from pdebench_lite.errors import PdebenchError
from pdebench_lite.text import counted

Row = tuple[int, list[str]]  # number of the line in the file, cells
_COMMENTS = ("%", "#", "//", "!")
_MISSING = {"", "nan", "na", "n/a", "<na>", "#n/a", "null", "none", "--"}
_TIME = re.compile(r"\bt\s*=\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)")
_UNIT = re.compile(r"\([^()]*\)|\[[^][]*\]")
_COMMA_NUMBER = re.compile(r"[-+]?\d+(?:,\d+)?(?:[eEdD][-+]?\d+)?")
_FORTRAN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:[dDqQ]|(?=[-+]\d{3}$))([-+]?\d+)")
_MARKS = (  # the longer ones first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def read_text(path: Path) -> Contents:
    """Read a table: comments in %, #, ! or //, one line of names, columns split by , ; tab, blanks.

    Numbers may have decimal commas (where columns are not split by commas) or Fortran's exponents
    (`1.0D-03`). An empty cell, or one such as `NaN` or `NA`, is NaN. A first column without a name
    that counts the rows, as pandas writes it, is left out.

    Raises:
        PdebenchError: a row has not as many cells as there are names, or as the first row; or a
            cell is not a number. The message names the line.
    """
    comment = ""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(map(str.strip, _decode(path).splitlines()), 1):
        if line.startswith(_COMMENTS):
            comment = comment if lines else line.lstrip("%#!/ \t")
        elif line:
            lines.append((number, line))
    if not lines:
        return Contents()
    separator = _separator(lines[min(1, len(lines) - 1)][1])
    rows = [(number, _split(line, separator)) for number, line in lines]
    names: list[str] = []
    if any(_number(cell) is None for cell in rows[0][1]):
        names, rows = _names(lines[0][1], rows), rows[1:]
        if not rows:
            return Contents()
    names, rows = _without_last(names, rows)
    _check_widths(path, names, lines[0][0], rows, separator)
    table = np.array(_values(path, names, rows))
    if names and not names[0] and np.array_equal(np.diff(table[:, 0]), np.ones(len(table) - 1)):
        names, table = names[1:], table[:, 1:]
    names = [name or f"column {i}" for i, name in enumerate(names, 1)]
    for name in names:
        if names.count(name) > 1:
            raise PdebenchError(f"'{path}', line {lines[0][0]}: '{name}' names two columns")
    times = tuple(float(t) for t in _TIME.findall(comment if not names else lines[0][1]))
    moments = [value for name in names if (value := _number(name)) is not None]
    times = times or (tuple(moments) if len(moments) > 1 else ())
    arrays = {} if times else dict(zip(names, table.T, strict=False))
    header = () if names else tuple(_words(comment))
    return Contents(arrays, times=times, table=table, header=header)


def _decode(path: Path) -> str:
    """Return the text of a file by its byte-order mark, else as UTF-8, else as Latin-1.

    Raises:
        PdebenchError: it is not text.
    """
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    if b"\x00" in content:
        raise PdebenchError(
            f"'{path}' is not text and of no known format; write NPZ, HDF5 or Parquet, or, if it "
            "is a table in text, save it as UTF-8"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # of names and comments; numbers are the same


# ---- cells -----------------------------------------------------------------------------------


def _separator(line: str) -> str | None:
    """Return what splits the cells of a row of numbers; None for blanks."""
    if ";" in line:
        return ";"
    if "\t" in line and all(len(cell.split()) < 2 for cell in line.split("\t")):
        return "\t"
    words = line.split()
    commas = len(words) > 1 and all(map(_COMMA_NUMBER.fullmatch, words))  # 0,5 1,25
    return "," if "," in line and not commas else None


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return [word.strip("\"'") for word in line.split()]
    (cells,) = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [cell.strip(" \"'") for cell in cells]


def _words(line: str) -> list[str]:
    words = re.split(r"[,;\s]+", _UNIT.sub("", line))
    return [word.strip("\"'") for word in words if word.strip("\"'")]


def _names(line: str, rows: Sequence[Row]) -> list[str]:
    """Return the names of the columns, without units; by blanks where the separator gives one."""
    names = [_UNIT.sub("", cell).strip() for cell in rows[0][1]]
    words = _words(line)
    width = len(rows[-1][1])
    return words if len(names) != width == len(words) else names


def _without_last(names: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Drop a last column that is empty: rows that end with a separator."""
    width = len(rows[0][1])
    if any(len(cells) != width or cells[-1] for _, cells in rows) or width < 2:
        return names, rows
    if len(names) == width and names[-1]:
        return names, rows  # it has a name, and no value
    return names[: width - 1], [(number, cells[:-1]) for number, cells in rows]


def _check_widths(
    path: Path, names: Sequence[str], line: int, rows: Sequence[Row], separator: str | None
) -> None:
    first, width = rows[0][0], len(names) or len(rows[0][1])
    for number, cells in rows:
        if len(cells) == width:
            continue
        held = f"'{path}', line {number}: {counted(len(cells), 'cell')}, but "
        hint = "write one cell for each column"
        if separator == "," and len(cells) > width:
            hint += "; where commas are decimal, split columns by ;"
        if names:
            raise PdebenchError(
                f"{held}line {line} names {counted(width, 'column')} ({', '.join(names)}); {hint}"
            )
        raise PdebenchError(f"{held}line {first} has {width}; {hint}")


def _values(path: Path, names: Sequence[str], rows: Sequence[Row]) -> list[list[float]]:
    """Return the numbers of the rows.

    Raises:
        PdebenchError: a cell is not a number, or some have decimal commas and others points.
    """
    values: list[list[float]] = []
    styles: dict[str, str] = {}
    for number, cells in rows:
        row = []
        for i, cell in enumerate(cells):
            value = _number(cell)
            if value is None:
                name = f" ({names[i]})" if names else ""
                where = f"'{path}', line {number}, column {i + 1}{name}"
                raise PdebenchError(f"{where}: '{cell[:60]}' is not a number")
            row.append(value)
            for sign in ",.":
                if sign in cell:
                    styles.setdefault(sign, f"'{cell}' in line {number}")
        values.append(row)
    if len(styles) == 2:
        raise PdebenchError(
            f"'{path}': {styles[',']} has a comma, {styles['.']} a point; write all decimals alike"
        )
    return values


def _number(cell: str) -> float | None:
    """Return the number in a cell; NaN if it is empty, None if it holds something else."""
    if cell.lower() in _MISSING:
        return math.nan
    text = cell.replace(",", ".")
    if fortran := _FORTRAN.fullmatch(text):
        text = f"{fortran[1]}e{fortran[2]}"
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
