"""BibTeX: what plugins supply is read, reduced to the harmless, and each work is there once."""

import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdebench_lite.cli import main
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Record, Store, record_of
from pdebench_paper.bibtex import Entry, harmless, parse, plain, safe_key
from pdebench_paper.citations import PROGRAM, Bibliography, bibliography

TEX = all(map(shutil.which, ("pdflatex", "bibtex")))


def make(problem: str = "burgers", method: str = "pinn") -> Record:
    cell = Cell(
        problem=problem, task="forward", problem_params={}, problem_label=problem, method=method,
        family="other", config={}, label=method, backend="numpy", dtype="float64", device="cpu",
        budget=Budget(max_steps=3), seed=0,
    )  # fmt: skip
    return record_of(cell, "ok")


# ---- reading ---------------------------------------------------------------------------------


def test_entries_are_read() -> None:
    first, second = parse(
        """Words before an entry are a comment.
        @Article{ raissi2019,
          Author = {Raissi, M. and others}, title = "A {"}quoted{"} title",
          year = 2019, month = jan, pages = {686--707},
        }
        @comment{nothing} @string{jcp = {J}} @preamble{"\\input{/etc/passwd}"}
        @software{tool, title = {{Tool}}}"""
    )
    assert (first.kind, first.key) == ("article", "raissi2019")
    assert first.fields == {
        "author": "Raissi, M. and others", "title": 'A {"}quoted{"} title', "year": "2019",
        "month": "jan", "pages": "686--707",
    }  # fmt: skip
    assert (second.kind, second.fields) == ("misc", {"title": "{Tool}"})
    assert parse(first.write()) == [first]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@article{key, title = {open}", "a brace is not closed"),
        ('@article{key, title = "open}', "a quote is not closed"),
        ("@article{title = {no key}}", "no key"),
        ("@article{key, title = }", "has no value"),
        ("@article{key, = {x}}", "no field begins"),
        ("user@example.org", "no entry begins"),
    ],
)
def test_malformed_entries(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (r"C{\^o}t{\'e}, {\"u} {\ss} \& \%", r"C{\^o}t{\'e}, {\"u} {\ss} \& \%"),
        (r"order $h^{2}$ in $L_2$, $\nabla u$", r"order $h^{2}$ in $L_2$, $\nabla u$"),
        (r"100% of a_b & c#d ^", r"100\% of a\_b \& c\#d \textasciicircum{}"),
        (r"\input{/etc/passwd} \write18{rm}", "input{/etc/passwd} write18{rm}"),
        (r"\csname input\endcsname \catcode", "csname inputendcsname catcode"),
        ("costs 5$", r"costs 5\$"),
        (r"$\input{x}$", "$input{x}$"),
        ("é and ∂", r"{\'{e}} and {$\partial$}"),
        (r"\alpha outside", "alpha outside"),
    ],
)
def test_values_are_harmless(value: str, kept: str) -> None:
    assert harmless(value) == kept


@given(st.text(st.sampled_from("\\{}$%#&_^~abinput\"' \n5c@é∂\0\x1b")))
def test_no_text_becomes_a_command(text: str) -> None:
    made = harmless(text)
    assert "^^" not in made
    assert made.isprintable()
    assert "input" not in re.findall(r"\\([A-Za-z]+)", made)
    assert harmless(made) == made


@given(st.text())
def test_keys_and_parsing_withstand_any_text(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9:._+-]+", safe_key(text))
    for trial in (text, "@article{" + text + "}", "@article{k, t = {" + text + "}}"):
        entries = []
        with suppress(ValueError):
            entries = parse(trial)
        written = parse("\n".join(entry.write() for entry in entries))
        assert [entry.key for entry in written] == [entry.key for entry in entries]
    assert parse(Entry("misc", "k", {"note": plain(text)}).write())[0].key == "k"


# ---- gathering -------------------------------------------------------------------------------


def test_works_are_there_once() -> None:
    records = [
        make("advection-density", "semilagrangian"),  # both go back to one review
        make("burgers", "pinn"),
        make("burgers", "etdrk4"),
        make("burgers", "pinn"),
    ]
    found = bibliography(records, registry())
    keys = [entry.key for entry in found.entries]
    assert len(keys) == len(set(keys)) == 5
    assert keys[0] == PROGRAM
    assert found.keys["problem", "advection-density"] == found.keys["method", "semilagrangian"]
    assert found.keys["method", "pinn"] == ("raissi2019physics",)
    assert found.lacking == []
    assert len(parse(found.write())) == 5


def test_every_shipped_problem_and_method_has_a_citation() -> None:
    known = registry()
    records = [make(problem, "pinn") for problem in known.problems]
    records += [make("burgers", method) for method in known.methods]
    found = bibliography(records, known)
    assert found.lacking == []
    assert len(found.keys) == len(known.problems) + len(known.methods)


def test_works_of_one_key_are_told_apart() -> None:
    found = Bibliography()
    a, b = Entry("misc", "k", {"title": "A {B}"}), Entry("misc", "k", {"title": "other"})
    assert found.add(a) == "k"
    assert found.add(Entry("book", "k", {"title": "a b"})) == "k"
    assert (found.add(b), found.add(b)) == ("ka", "ka")
    doi = Entry("misc", "d", {"title": "x", "doi": "10.1/X"})
    assert found.add(doi) == found.add(Entry("misc", "D", {"title": "y", "doi": "10.1/x"})) == "d"
    assert [entry.key for entry in found.entries] == ["k", "ka", "d"]


def with_citation(known: Registry, text: str) -> Registry:
    method = replace(known.methods["pinn"], citation=text)
    return replace(known, methods={**known.methods, "pinn": method})


def test_what_has_no_citation_is_said() -> None:
    known = registry()
    for text, why in {
        "": "method 'pinn' supplies no citation",
        "Fourier 1822, 100% & more": "",
        "@article{open": "the citation of method 'pinn' is not BibTeX: a brace is not closed",
    }.items():
        found = bibliography([make()], with_citation(known, text))
        assert [line for line in found.lacking if not line.startswith(why)] == []
        assert bool(found.lacking) == bool(why)
        if text:
            (key,) = found.keys["method", "pinn"]
            assert key == "method-pinn"
            assert len(parse(found.write())) == 3
    found = bibliography([make("no-such", "nor this\x1b[31m")], known)
    assert found.lacking == [
        "problem 'no-such' is not installed here: no citation",
        "method 'nor this[31m' is not installed here: no citation",
    ]


@pytest.mark.skipif(not TEX, reason="no pdflatex or bibtex here")
def test_bibtex_and_latex_take_everything(tmp_path: Path) -> None:
    known = registry()
    hostile = r"""@article{a b}c, title = {x}}
    @misc{evil, title = {100% \input{/etc/passwd} $ ^^5cinput _ # & é ∂ 漢}, author = {A_b ~ ^}}"""
    records = [make(problem, method) for problem in known.problems for method in known.methods]
    found = bibliography(records, with_citation(known, hostile.split("\n")[1]))
    (tmp_path / "references.bib").write_text(found.write(), encoding="utf-8")
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\begin{document}\\nocite{*}\n"
        "\\bibliographystyle{unsrt}\\bibliography{references}\\end{document}\n"
    )
    for words in (["pdflatex", "-interaction=nonstopmode", "t"], ["bibtex", "t"]) * 2:
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "t.blg").read_text()
    assert "error message" not in log
    assert "daemon" not in (tmp_path / "t.bbl").read_text()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path / "r")
    for record in (make(), make("burgers", "unknown")):
        store.publish(record, store.workspace(record.cell))
    assert main(["cite", "--results", str(store.root)]) == 0
    answer: Any = capsys.readouterr()
    assert [e.key for e in parse(answer.out)] == [
        PROGRAM, "basdevant1986burgers", "raissi2019physics"
    ]  # fmt: skip
    assert answer.err == "pdebench: method 'unknown' is not installed here: no citation\n"
