"""paper.tex: an article with every table and figure of a bundle and the facts of the runs."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pdebench_lite.analysis.wording import budget_text, clean, error_text, shorten
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.report._latex import escape, number
from pdebench_lite.report.figures.style import slug
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted
from pdebench_paper.citations import PROGRAM, Bibliography
from pdebench_paper.items import CELLS, COMPARISON, FIGURES, TABLES

_ON_A_PAGE = 40  # rows of a table that one page holds
_LIBRARIES = ("numpy", "torch", "jax")
_PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage[T1]{fontenc}\usepackage{lmodern}}{}
\usepackage[textwidth=%(width)sin,textheight=9.3in]{geometry}
\usepackage{array,booktabs,graphicx}
\setlength{\abovecaptionskip}{4pt}
\setlength{\belowcaptionskip}{4pt}
\emergencystretch=2em
\makeatletter
%% Tables and figures stand where they are read in: any number of them, in order.
\newenvironment{shown}[1]{\par\bigskip\noindent\begin{minipage}{\linewidth}\centering
  \def\@captype{#1}}{\end{minipage}\par\bigskip}
\renewenvironment{table*}{\begin{shown}{table}}{\end{shown}}
\makeatother
%% A figure keeps its size, unless it is larger than the page.
\newsavebox{\drawn}
\newcommand{\fitted}[1]{\sbox{\drawn}{\includegraphics{#1}}%%
  \ifdim\wd\drawn>\linewidth\includegraphics[width=\linewidth,height=0.8\textheight,
    keepaspectratio]{#1}\else\ifdim\ht\drawn>0.8\textheight
    \includegraphics[height=0.8\textheight]{#1}\else\usebox{\drawn}\fi\fi}
"""


def document(
    records: Sequence[Record],
    known: Registry,
    cited: Bibliography,
    figures: Iterable[Path],
    tables: Iterable[str],
    environments: Mapping[str, Mapping[str, Any]],
    version: str,
    width: float,
) -> str:
    """Return the article.

    Args:
        records: the records of the bundle.
        known: where problems and methods are described.
        cited: the bibliography, whose keys are cited.
        figures: the PDF files of the figures.
        tables: names of the LaTeX tables that were made, without `.tex`.
        environments: by hash.
        version: of the program.
        width: of the text, in inches.
    """
    made = set(tables)
    methods, problems = ({getattr(r, k) for r in records} for k in ("method", "problem_label"))
    title = f"{counted(len(methods), 'method')} on {counted(len(problems), 'problem')}"
    lines = [
        _PREAMBLE % {"width": f"{width:.4g}"},
        f"\\title{{{title}}}",
        f"\\author{{Made by {PROGRAM} {escape(version)}}}",
        f"\\date{{{_dates(records)}}}",
        r"\begin{document}",
        r"\maketitle",
        r"\section{What was run}",
        *_what(records, environments, cited),
        *_problems(records, known, cited),
        *_methods(records, known, cited),
    ]
    if COMPARISON in made:
        lines += [r"\section{Comparison}", f"\\input{{{TABLES}/{COMPARISON}}}"]
    lines += _figures(figures, records)
    if CELLS in made:
        lines += [r"\section{Every cell}", *_cells(records)]
    lines += [r"\bibliographystyle{unsrt}", r"\bibliography{references}", r"\end{document}"]
    return "\n".join(lines) + "\n"


def _dates(records: Sequence[Record]) -> str:
    days = sorted(
        {r.started[:10] for r in records if re.fullmatch(r"\d{4}-\d\d-\d\d.*", r.started)}
    )
    if not days:
        return "Date of the runs not recorded"
    return f"Run on {days[0]}" if len(days) == 1 else f"Run from {days[0]} to {days[-1]}"


def _what(
    records: Sequence[Record],
    environments: Mapping[str, Mapping[str, Any]],
    cited: Bibliography,
) -> list[str]:
    statuses = Counter(record.status for record in records)
    ended = ", ".join(f"{n} {status}" for status, n in statuses.items())
    budgets = "; ".join(dict.fromkeys(budget_text(record.budget) for record in records))
    (own,) = [entry.key for entry in cited.entries if entry.key == PROGRAM]
    sentences = [
        f"{counted(len(records), 'cell')} of {PROGRAM} \\cite{{{own}}} were run: {escape(ended)}.",
        "A cell is one problem, method, configuration, backend and seed; it runs in a process of "
        "its own, and a cell that failed is a result.",
        "Errors are measured by the harness against a float64 reference with an error bound. The "
        "time charged is that of data, compilation and training, with the device waited for.",
        f"Budget of a cell: {escape(budgets)}.",
    ]
    for environment in environments.values():
        sentences.append(_machine(environment))
    return [" ".join(sentences), ""]


def _machine(environment: Mapping[str, Any]) -> str:
    installed = environment.get("installed")
    versions = installed if isinstance(installed, Mapping) else {}
    names = [f"Python {environment['python']}"] if "python" in environment else []
    names += [f"{name} {versions[name]}" for name in _LIBRARIES if name in versions]
    cpu = shorten(clean(environment.get("cpu", "a processor that was not recorded")), 80)
    cores = environment.get("logical_cores")
    size = f", {clean(cores)} logical cores" if cores is not None else ""
    libraries = f", with {escape(clean(', '.join(names)))}" if names else ""
    return f"Machine: {escape(cpu)}{escape(size)}{libraries}."


def _problems(records: Sequence[Record], known: Registry, cited: Bibliography) -> list[str]:
    rows = []
    for record in {r.problem_label: r for r in records}.values():
        try:
            tasks = {
                t.name: t.summary for t in known.tasks_of(known.problem(record.problem)).values()
            }
        except PdebenchError:
            tasks = {}
        bounds = [
            r.reference_bound
            for r in records
            if r.problem_label == record.problem_label and r.reference_bound is not None
        ]
        bound = number(error_text(max(bounds))) if bounds else "unknown"
        asked = escape(clean(tasks.get(record.task, "not installed here")))
        label = _name(record.problem_label) + _cite(cited, "problem", record.problem)
        rows.append((label, asked, bound))
    return _table("Problems.", ("problem", "what is asked", "bound of the reference"), rows, "lpr")


def _methods(records: Sequence[Record], known: Registry, cited: Bibliography) -> list[str]:
    rows = []
    for name, record in {r.method: r for r in records}.items():
        try:
            summary = known.method(name).summary
        except PdebenchError:
            summary = "not installed here"
        label = _name(name) + _cite(cited, "method", name)
        rows.append((label, escape(clean(record.family)), escape(clean(summary))))
    return _table("Methods.", ("method", "family", "what it does"), rows, "llp")


def _name(text: str) -> str:
    return escape(shorten(clean(text), 60))


def _cite(cited: Bibliography, kind: str, name: str) -> str:
    keys = cited.keys.get((kind, name), ())
    return f"~\\cite{{{','.join(keys)}}}" if keys else ""


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], columns: str
) -> list[str]:
    """Return a table in the text; a column `p` takes half of its width and breaks its lines."""
    wide = r">{\raggedright\arraybackslash}p{0.45\linewidth}"
    layout = columns.replace("p", wide)
    parts = []
    for start in range(0, len(rows), _ON_A_PAGE):
        parts += [
            r"\begin{shown}{table}\footnotesize",
            f"\\caption{{{caption}}}",
            f"\\begin{{tabular}}{{@{{}}{layout}@{{}}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows[start : start + _ON_A_PAGE]),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{shown}",
        ]
    return parts


def _figures(paths: Iterable[Path], records: Sequence[Record]) -> list[str]:
    """Show every figure, problem by problem; a name is that of its problem and what it shows."""
    labels: dict[str, str] = {}  # as `plot_all` names them
    for record in records:
        if record.problem_label not in labels.values():
            labels[slug(record.problem_label, labels)] = record.problem_label
    sections: dict[str, list[tuple[int, str, str]]] = {name: [] for name in labels}
    captions = {
        figure.name: _caption(figure.summary) for figure in registry(("figure",)).figures.values()
    }
    kinds = list(captions)
    for path in paths:
        match = re.fullmatch(rf"(.*?)-({'|'.join(kinds)})(?:-(.*))?", path.stem)
        problem, kind, part = match.groups() if match else (path.stem, "", "")
        place = kinds.index(kind) if kind else len(kinds)
        caption = " ".join(filter(None, [captions.get(kind, ""), part and f"{escape(part)}."]))
        sections.setdefault(problem, []).append((place, path.name, caption))
    lines = []
    for problem, figures in sections.items():
        title = f"Figures of {_name(labels[problem])}" if problem in labels else "Over all problems"
        lines += [f"\\section{{{title}}}"] if figures else []
        for _, name, caption in sorted(figures):
            lines += [
                r"\begin{shown}{figure}",
                f"\\fitted{{{FIGURES}/{name}}}",
                f"\\caption{{{caption or escape(name)}}}",
                r"\end{shown}",
            ]
    return lines


def _caption(summary: str) -> str:
    return f"{escape(summary[:1].upper() + summary[1:])}."


def _cells(records: Sequence[Record]) -> list[str]:
    most = max(Counter(record.problem_label for record in records).values())
    if most <= _ON_A_PAGE:
        return [f"\\input{{{TABLES}/{CELLS}}}"]
    return [
        f"The table of all {len(records)} cells is too long for a page; it is in the files "
        f"\\texttt{{{TABLES}/{CELLS}.md}} and \\texttt{{data/{CELLS}.csv}}."
    ]
