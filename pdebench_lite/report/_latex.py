"""Sheets as LaTeX tables; compiles with pdflatex, booktabs and graphicx."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from pdebench_lite.analysis.remark import Remark
from pdebench_lite.analysis.wording import fold
from pdebench_lite.report.sheet import Column, Row, Sheet

_NAME_WIDTH = 24
_NEEDS = "% needs \\usepackage{booktabs,graphicx}\n"
_FIT = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"  # only if too wide
_ASCII = {
    "\0": "{}",  # keeps two hyphens from becoming a dash
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&",
    "#": r"\#", "$": r"\$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"": ': "''", '"': "''",
    "[": "{[}", "]": "{]}", "`": r"\textasciigrave{}", "*": "{*}",
}  # fmt: skip
_SIGNS = {
    "≤": r"\leq", "≥": r"\geq", "≈": r"\approx", "≠": r"\neq", "·": r"\cdot", "×": r"\times",
    "−": "-", "±": r"\pm", "∂": r"\partial", "∇": r"\nabla", "∫": r"\int", "∑": r"\sum",
    "√": r"\surd", "∞": r"\infty", "∈": r"\in", "→": r"\to", "∘": r"\circ", "‖": r"\|",
    "●": r"\bullet", "½": r"\frac12", "°": r"^{\circ}",
}  # fmt: skip
_TEXT = {"–": "--", "—": "---", "…": r"\ldots{}", "“": "``", "”": "''", "‘": "`", "’": "'",
         "\N{NO-BREAK SPACE}": "~", "µ": r"$\mu$", "Ø": r"\O{}", "ø": r"\o{}",
         "ß": r"\ss{}"}  # fmt: skip
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"',
            "\u030a": "r", "\u030c": "v", "\u0327": "c"}  # fmt: skip
_LATIN_LIKE = {"Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M",
               "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Χ": "X", "ο": "o"}  # fmt: skip
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (FINAL )?(\w+)")
_NUMBER = re.compile(r"(-?\d\.\d+)e([+-])0*(\d+)")


def escape(text: str) -> str:
    """Return text that pdflatex sets as it is; a letter it has no sign for becomes its code."""
    return "".join(_character(c) for c in re.sub("-(?=-)", "-\0", text))


def _character(c: str) -> str:
    if c in _ASCII or c in _TEXT:
        return _ASCII.get(c) or _TEXT[c]
    if c.isascii():
        return c
    if c in _SIGNS:
        return f"${_SIGNS[c]}$"
    if c in _LATIN_LIKE:
        return f"${_LATIN_LIKE[c]}$"
    if greek := _GREEK.fullmatch(unicodedata.name(c, "")):
        name = greek[3].lower().replace("lamda", "lambda")
        name = {"SMALL": name, "CAPITAL": name.capitalize()}[greek[1]]
        return f"$\\var{name}$" if greek[2] else f"$\\{name}$"
    kind, _, plain = unicodedata.decomposition(c).partition(" ")
    if kind in ("<super>", "<sub>"):
        shift = "^" if kind == "<super>" else "_"
        inner = "".join(_character(chr(int(code, 16))) for code in plain.split()).strip("$")
        return f"${shift}{{{inner}}}$"
    base = unicodedata.normalize("NFD", c)
    if len(base) == 2 and base[0].isascii() and base[1] in _ACCENTS:
        return f"\\{_ACCENTS[base[1]]}{{{base[0]}}}"
    return f"{{[}}U+{ord(c):04X}{{]}}"


def number(text: str) -> str:
    """Write 1.3e-02 as a power of ten, within an interval too."""
    return _NUMBER.sub(_power, escape(text))


def _power(found: re.Match[str]) -> str:
    return f"${found[1]}\\times10^{{{found[2].strip('+')}{found[3]}}}$"


def latex(sheets: Iterable[Sheet]) -> str:
    """Write sheets as floats over both columns, conditions in the caption, notes below the rows."""
    return _NEEDS + "\n".join(line for sheet in sheets for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    shown = [(i, c) for i, c in enumerate(sheet.columns) if c.kind != "sees"]
    yield r"\begin{table*}"
    yield r"\centering\footnotesize\setlength{\tabcolsep}{3.5pt}"
    conditions = _sentence("; ".join(sheet.conditions)) if sheet.conditions else ""
    yield f"\\caption{{{escape(sheet.title)}. {_NUMBER.sub(_power, conditions)}}}"
    yield _FIT
    yield f"\\begin{{tabular}}{{@{{}}{''.join('r' if c.numeric else 'l' for _, c in shown)}@{{}}}}"
    yield r"\toprule"
    yield from _heads([c for _, c in shown])
    for heading, rows in sheet.blocks:
        yield r"\midrule"
        if heading:
            yield f"\\multicolumn{{{len(shown)}}}{{@{{}}l}}{{\\emph{{{escape(heading)}}}}} \\\\"
        for row in rows:
            yield " & ".join(_cell(c, row, i) for i, c in shown) + r" \\"
    yield r"\bottomrule"
    yield r"\end{tabular}}"
    notes = [_remark(line) for line in sheet.lines]
    notes += [f"{escape(f'{names} saw: {what}')}." for names, what in sheet.saw]
    for n, why in enumerate(sheet.notes, 1):
        notes.append(f"\\textsuperscript{{{n}}}\\,{_sentence(why)}")
    if notes:
        yield r"\par\smallskip\parbox{\textwidth}{\raggedright " + " ".join(notes) + "}"
    yield "\\end{table*}\n"


def _heads(columns: list[Column]) -> Iterator[str]:
    """Yield the heading in two lines: a metric's name breaks at an underscore, then units."""
    pairs = []
    for column in columns:
        first, second = column.head, f"({column.unit})" if column.unit else ""
        if column.kind == "error" and len(first) > 9 and "_" in first:
            cuts = [i + 1 for i, c in enumerate(first) if c == "_"]
            half = len(first) / 2
            cut = min(cuts, key=lambda i, half=half: abs(i - half))  # type: ignore[misc]
            first, second = first[:cut], first[cut:]
        pairs.append((escape(first), escape(second)))
    for line in zip(*pairs, strict=True):
        if any(line):
            yield " & ".join(line) + r" \\"


def _cell(column: Column, row: Row, i: int) -> str:
    if column.kind == "interval":
        return _interval(row.cells[i], i in row.bold)
    if column.kind == "name":
        return _stacked([escape(line) for line in fold(row.cells[i], _NAME_WIDTH).split("\n")], "l")
    cell = number(row.cells[i]) if column.kind == "error" else escape(row.cells[i])
    if i in row.bold:
        cell = _bold(cell)
    note = row.note if column.kind == "status" else 0
    return f"{cell}\\textsuperscript{{{note}}}" if note else cell


def _interval(text: str, bold: bool) -> str:
    """Set a number above its interval, from which a common power of ten is taken out."""
    value, _, interval = text.partition(" ")
    above = _bold(number(value)) if bold else number(value)
    if not interval:
        return above
    powers = {found[2] + found[3] for found in _NUMBER.finditer(interval)}
    if len(powers) == 1 and len(_NUMBER.findall(interval)) == 2:
        inner = escape(_NUMBER.sub(lambda found: found[1], interval))
        power = powers.pop().strip("+")
        below = inner if power == "0" else f"{inner}$\\times10^{{{power}}}$"
    else:
        below = number(interval)
    return _stacked([above, f"\\scriptsize {below}"], "r")


def _bold(cell: str) -> str:
    return f"{{\\boldmath\\textbf{{{cell}}}}}"


def _stacked(lines: list[str], side: str) -> str:
    if len(lines) == 1:
        return lines[0]
    inner = r"\\".join(lines)
    return f"\\begin{{tabular}}[t]{{@{{}}{side}@{{}}}}{inner}\\end{{tabular}}"


def _remark(remark: Remark) -> str:
    if not remark.command:
        return _NUMBER.sub(_power, _sentence(remark.text))
    command = escape(remark.command).replace(",", r",\allowbreak{}")
    return f"{_begun(remark.text)}: \\texttt{{{command}}}."


def _sentence(text: str) -> str:
    text = _begun(text)
    return text if text.endswith(".") else f"{text}."


def _begun(text: str) -> str:
    return escape(text[:1].upper() + text[1:])
