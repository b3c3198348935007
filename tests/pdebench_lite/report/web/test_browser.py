"""The page in Chromium: what a reader does with it, and what it must never do."""

import csv
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pdebench_lite.report.web.write import write_report
from pdebench_lite.store.records import HISTORY, RECORD, Store, load_fields

playwright = pytest.importorskip(
    "playwright.sync_api", reason="the page is tested with Playwright: pip install playwright"
)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium"),
]

_LOCAL = ("file:", "data:", "blob:")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


def until(page: Any, expression: str) -> None:
    """Wait until an expression is true; asked from outside, for the page's policy forbids eval."""
    end = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never became true: {expression}"
        page.wait_for_timeout(50)


@contextmanager
def opened(chromium: Any, path: Path, complains: bool = False, **context: Any) -> Iterator[Any]:
    """Open a page; afterwards it has asked for nothing, and complained only if it had to."""
    outside: list[str] = []
    complaints: list[str] = []

    def route(request: Any) -> None:
        if request.request.url.startswith(_LOCAL):
            request.continue_()
        else:
            outside.append(request.request.url)
            request.abort()

    with chromium.new_context(**{"viewport": {"width": 1300, "height": 900}} | context) as made:
        made.route("**/*", route)
        page = made.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.goto(path.as_uri())
        until(page, "document.documentElement.dataset.ready === 'true' && Boolean(window.Plotly)")
        yield page
    assert outside == []
    assert bool(complaints) is complains, complaints


@pytest.fixture
def page(chromium: Any, page_file: Path) -> Iterator[Any]:
    with opened(chromium, page_file) as made:
        yield made


def blocks(page: Any, section: str, head: str) -> list[list[str]]:
    """Return the texts of a column of a section's table, block by block."""
    found: list[list[str]] = page.evaluate(
        """([section, head]) => {
          const table = document.querySelector(`#${section} table`);
          const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
          const place = heads.findIndex((text) => text.startsWith(head));
          return [...table.tBodies].map((body) => [...body.rows]
            .filter((row) => row.className !== "group")
            .map((row) => row.cells[place].firstChild?.textContent ?? ""));
        }""",
        [section, head],
    )
    return found


def value(text: str) -> float:
    return inf if text == "∞" else float(text)


def sorter(page: Any, section: str, head: str) -> Any:
    return page.locator(f"#{section} th button").filter(has_text=head).first


def test_sorting_stays_within_equal_data_and_is_said(page: Any) -> None:
    before = blocks(page, "leaderboard", "error")
    button = sorter(page, "leaderboard", "memory")
    for direction, sign in (("ascending", 1), ("descending", -1)):
        button.focus()
        page.keyboard.press("Enter")  # the keyboard is enough, and keeps its place
        heading = page.locator("#leaderboard th[aria-sort]").filter(has_text="memory")
        assert heading.get_attribute("aria-sort") == direction
        assert page.evaluate("document.activeElement.textContent").startswith("memory")
        assert f"sorted by memory, {direction}" in page.locator("#announcer").inner_text()
        for column in blocks(page, "leaderboard", "memory"):
            values = [sign * value(text) for text in column]
            assert values == sorted(values)
    page.keyboard.press("Enter")
    assert blocks(page, "leaderboard", "error") == before


def test_errors_are_sorted_as_numbers_and_misses_are_largest(page: Any) -> None:
    sorter(page, "leaderboard", "error").click()
    columns = blocks(page, "leaderboard", "error")
    assert any(len(column) > 1 and column[-1] == "∞" for column in columns)
    for column in columns:
        assert [value(v) for v in column] == sorted(value(v) for v in column)


def test_filters(page: Any, hostile: str) -> None:
    search = page.get_by_role("searchbox", name="Filter runs")
    search.fill("pinn diverged")
    until(page, "document.getElementById('announcer').textContent.includes('1 of 13')")
    assert blocks(page, "runs", "status") == [["diverged"]]
    search.fill(hostile)
    page.locator("#runs tbody th").filter(has_text="onerror").wait_for()
    assert blocks(page, "runs", "method") == [[""]]  # the swatch; the name follows it
    assert page.locator("#runs tbody th").inner_text() == hostile
    search.fill("no such run")
    page.get_by_text("no row fits").wait_for()
    search.fill("")
    page.get_by_text("13 rows", exact=True).wait_for()
    page.get_by_label("Only status").select_option("crashed")
    assert blocks(page, "runs", "status") == [["crashed", "crashed"]]


def test_the_filter_of_the_leaderboard_chooses_what_is_drawn(page: Any) -> None:
    page.locator("#curves").scroll_into_view_if_needed()
    drawn = "document.querySelector('[data-part=convergence]').data?.length"
    until(page, f"{drawn} > 6")
    page.get_by_role("searchbox", name="Filter leaderboard").fill("mlp")
    until(page, f"{drawn} === 2")
    assert "filter it" in page.locator("#curves .lead").inner_text()


def test_the_slider_moves_through_time_by_keyboard(page: Any) -> None:
    slider = page.get_by_role("slider", name="Time")
    page.locator("#fields [data-part=slice]").scroll_into_view_if_needed()
    until(page, "document.querySelector('#fields [data-part=slice]').data?.length === 3")
    state = "() => [...document.querySelector('#fields [data-part=slice]').data[1].y]"
    first = page.evaluate(state)
    slider.evaluate("(element) => element.focus({ preventScroll: true })")
    page.keyboard.press("End")
    until(page, "document.querySelector('#fields output').textContent === 't = 1'")
    assert slider.get_attribute("aria-valuetext") == "t = 1"
    page.locator("#fields [data-part=slice]").scroll_into_view_if_needed()
    until(page, "document.querySelector('#fields [data-part=slice]').ariaLabel.includes('t = 1')")
    last = page.evaluate(state)
    assert len(first) == len(last) == 128
    assert np.max(np.abs(np.subtract(first, last))) > 0.1
    cursor = "document.querySelector('#fields [data-part=maps]').layout.shapes.at(-1).x0"
    until(page, f"{cursor} === 1")
    page.keyboard.press("ArrowLeft")
    until(page, "document.querySelector('#fields output').textContent === 't = 0.98'")


def test_fields_and_unknowns_over_a_plane(chromium: Any, in_a_plane: Store, tmp_path: Path) -> None:
    path = tmp_path / "plane.html"
    write_report(in_a_plane, in_a_plane.load().records, path)
    maps = "document.querySelector('#fields [data-part=maps]')"
    with opened(chromium, path) as page:
        page.locator("#fields").scroll_into_view_if_needed()
        until(page, f"{maps}.data?.length === 3")
        first = page.evaluate(f"() => {maps}.data.map((map) => map.z.map((row) => [...row]))")
        assert np.shape(first) == (3, 20, 24), "reference, solution, error: y by x"
        slider = page.get_by_role("slider", name="Time")
        slider.evaluate("(element) => element.focus({ preventScroll: true })")
        page.keyboard.press("End")
        until(page, f"{maps}.ariaLabel.includes('t = 1')")
        last = page.evaluate(f"() => {maps}.data.map((map) => map.z.map((row) => [...row]))")
        assert np.max(np.abs(np.subtract(first, last)[:2])) > 0.3, "it moved"
        stored = load_fields(in_a_plane.folder(in_a_plane.load().records[0].cell))
        truth = stored["d_reference"].isel(t=-1).transpose("y", "x")
        np.testing.assert_allclose(last[0], truth, rtol=1e-5, atol=1e-6)
        page.get_by_label("Field", exact=True).select_option("u (found)")
        until(page, f"{maps}.ariaLabel.includes('true')")
        assert not slider.is_visible(), "a steady motion has no time"
        motion = page.evaluate(f"() => {maps}.data[0].z.map((row) => [...row])")
        np.testing.assert_allclose(motion, stored["u_true"].transpose("y", "x"), 1e-5, 1e-6)


def test_other_runs_and_playing(page: Any) -> None:
    page.locator("#fields").scroll_into_view_if_needed()
    about = page.locator("#fields .lead")
    before = about.inner_text()
    page.get_by_label("Run", exact=True).select_option(index=3)
    assert about.inner_text() != before
    page.get_by_role("button", name="Play").click()
    until(page, "document.querySelector('#fields output').textContent !== 't = 0'")
    page.get_by_role("button", name="Pause").click()


def test_hovering_names_the_run(page: Any) -> None:
    page.locator("#seeds .plot").scroll_into_view_if_needed()
    page.wait_for_selector("#seeds .plot .points path", state="attached")
    box = page.locator("#seeds .plot .points path").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    label = page.wait_for_selector("#seeds .plot .hovertext")
    assert "·" in label.text_content()
    assert "e-3" in label.text_content()


def saved(page: Any, name: str, tmp_path: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).first.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_downloads_hold_the_data_behind_the_view(
    page: Any, parts: Any, tmp_path: Path, hostile: str
) -> None:
    (problem,) = parts["overview"]["problems"]
    path = saved(page, f"Download leaderboard {problem['label']} as CSV", tmp_path)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    groups = problem["leaderboard"]["groups"]
    assert [row["block"] for row in rows] == [g["heading"] for g in groups for _ in g["rows"]]
    place = [c["head"] for c in problem["leaderboard"]["columns"]].index("error")
    errors = [row["cells"][place][1] for group in groups for row in group["rows"]]
    assert [float(row["error"]) for row in rows] == [float(e) for e in errors]
    assert hostile in [row["method"] for row in rows]

    runs = json.loads(saved(page, "Download runs as JSON", tmp_path).read_text(encoding="utf-8"))
    assert len(runs) == 13
    assert {"cell", "method", "seed", "status", "rel_l2", "charged (s)"} <= set(runs[0])

    failures = saved(page, "Download failures as CSV", tmp_path).read_text(encoding="utf-8")
    assert "x onerror=alert(1)" in failures

    fields = saved(page, f"Download fields {problem['label']} as CSV", tmp_path)
    table = pd.read_csv(fields)
    assert list(table) == ["t", "x", "u", "reference", "|error|"]
    np.testing.assert_allclose(table["|error|"], abs(table.u - table.reference), atol=1e-6)


def test_hostile_names_and_logs_are_text(page: Any, hostile: str) -> None:
    failure = page.locator("details.failure").filter(has_text="img src=x")
    failure.locator("summary").click()
    assert failure.locator("pre").inner_text() == f"first\n  {hostile}\n=1+1"
    assert page.locator("img").count() == 0
    page.locator("#seeds .plot").scroll_into_view_if_needed()
    page.wait_for_selector("#seeds .ytick text")
    ticks = page.locator("#seeds .ytick").all_text_contents()
    assert any(text.startswith("</script><img") for text in ticks)
    assert page.locator("#seeds .plot b, #seeds .plot a[href]:not(.modebar-btn)").count() == 0


def test_the_policy_of_the_page_forbids_what_is_not_ours(chromium: Any, page_file: Path) -> None:
    with opened(chromium, page_file, complains=True) as page:
        blocked = page.evaluate(
            """() => new Promise((done) => {
              document.addEventListener("securitypolicyviolation",
                (event) => done(event.effectiveDirective));
              const script = document.createElement("script");
              script.textContent = "window.intruder = true";
              document.body.append(script);
            })"""
        )
        assert blocked.startswith("script-src")
        assert page.evaluate("window.intruder === undefined")


def test_light_and_dark(chromium: Any, page_file: Path) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    for scheme in ("light", "dark"):
        with opened(chromium, page_file, color_scheme=scheme) as page:
            colors = {"system": page.evaluate(back)}
            for theme in ("light", "dark"):
                page.get_by_role("button", name="Theme").click()
                assert page.locator("#theme").inner_text() == f"Theme: {theme}"
                colors[theme] = page.evaluate(back)
            assert colors["light"] != colors["dark"]
            assert colors["system"] == colors[scheme]


def test_it_can_be_used_without_a_mouse_and_without_seeing(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the leaderboard"
    page.keyboard.press("Enter")
    until(page, "document.activeElement.id === 'leaderboard'")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, summary, .scroll")]
          .filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim()))
          .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("thead th:not([scope=col])").count() == 0
    assert page.locator("#leaderboard tbody tr:not(.group):not(:has(th[scope=row]))").count() == 0
    for plot in page.locator(".plot:visible").all():
        plot.scroll_into_view_if_needed()
    until(page, "[...document.querySelectorAll('.plot')].every((p) => p.hidden || p.ariaLabel)")
    heads = "[...document.querySelectorAll('h1,h2,h3')].map((head) => Number(head.tagName[1]))"
    levels = page.evaluate(heads)
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_on_a_telephone_nothing_is_wider_than_the_screen(chromium: Any, page_file: Path) -> None:
    with opened(chromium, page_file, viewport={"width": 390, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_paper_every_row_is_there_and_no_control(page: Any) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#runs tbody tr").count() == 13
    assert page.locator("button:visible").filter(has_text="CSV").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    widths = page.evaluate("[...document.querySelectorAll('.main-svg')].map((s) => s.clientWidth)")
    assert widths
    assert max(widths) <= 700
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(page.pdf(format="A4")) > 10_000


# ---- three thousand records ------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, make_one: Callable[..., Any]) -> Path:
    """A page of 3,000 records: 2 problems × 250 settings × 2 backends × 3 seeds."""
    store = Store(tmp_path_factory.mktemp("many"))
    rng = np.random.default_rng(0)
    t = np.geomspace(0.1, 24.2, 40)
    for problem in ("burgers", "burgers[nu=0.1]"):
        for k in range(250):
            for backend in ("torch", "jax"):
                for seed in range(3):
                    error = float(np.exp(rng.normal(-4, 1)))
                    method = ("mlp", "pinn", "diffphys")[k % 3]
                    record = make_one(
                        method, backend, seed=seed, label=f"{method}[width={k}]",
                        problem_label=problem, metrics={"rel_l2": error}, ranked=["rel_l2"],
                        status="diverged" if rng.random() < 0.02 else "ok",
                    )  # fmt: skip
                    folder = store.folder(record.cell)
                    folder.mkdir()
                    (folder / RECORD).write_text(record.model_dump_json())
                    if seed == 0:
                        pd.DataFrame({"charged_s": t, "rel_l2": error + np.exp(-t)}).to_parquet(
                            folder / HISTORY
                        )
    path = store.root.parent / f"{store.root.name}.html"
    write_report(store, store.load().records, path)
    return path


def test_three_thousand_records_are_quick(
    chromium: Any, many: Path, record_property: Callable[[str, object], None]
) -> None:
    assert many.stat().st_size < 20e6
    began = time.monotonic()
    with opened(chromium, many) as page:
        took = {"load": time.monotonic() - began}
        assert page.locator("#runs table tbody tr").count() <= 101
        assert "3000 rows" in page.locator("#runs .tally").inner_text()
        took["sort"] = _timed(
            page,
            "[...document.querySelectorAll('#runs .sort')]"
            ".find((button) => button.textContent.startsWith('rel_l2')).click()",
        )
        column = blocks(page, "runs", "rel_l2")[0]
        assert len(column) == 100
        assert [value(v) for v in column] == sorted(value(v) for v in column)
        began = time.monotonic()
        page.get_by_role("searchbox", name="Filter runs").fill("width=77")
        page.locator("#runs .tally").filter(has_text="12 of 3000 rows").wait_for()
        took["filter"] = time.monotonic() - began
        took["problem"] = _timed(page, "{const l = document.getElementById('problem'); l.value = 1;"
                                 "l.dispatchEvent(new Event('change'))}")  # fmt: skip
        assert "burgers[nu=0.1]" in page.locator("#leaderboard .lead").inner_text()
        sorter(page, "runs", "seed").click()
    for name, seconds in took.items():
        record_property(name, round(seconds, 3))
    assert took["load"] < 30
    assert max(took[name] for name in ("sort", "filter", "problem")) < 5


def _timed(page: Any, act: str) -> float:
    """Return the seconds from an act to the frame that shows it."""
    milliseconds: float = page.evaluate(
        f"""() => new Promise((done) => {{
          const began = performance.now();
          {act};
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
        }})"""
    )
    return milliseconds / 1e3
