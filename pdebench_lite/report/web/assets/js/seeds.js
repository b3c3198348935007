"use strict";
/* The final error of every seed, beside the median of its row. */

{
  let shown = null;

  const runsOf = (id) => report.data("curves")[shown.place].histories.filter((run) => run.id === id);

  /** Return the median error of each entrant, as the comparison has it. */
  const medians = () => {
    const { columns, groups } = report.data("overview").problems[shown.place].leaderboard;
    const place = columns.findIndex((column) => column.head === "error");
    return new Map(groups.flatMap(({ rows }) =>
      rows.map((row) => [row.id, report.number(row.cells[place][1])])));
  };

  const build = () => {
    if (!shown?.ids.length) return null;
    const { label, metric } = report.data("overview").problems[shown.place];
    const entrants = report.data("overview").entrants;
    const middle = medians();
    const all = shown.ids.flatMap((id) => runsOf(id).map((run) => report.number(run.error)));
    const range = report.logRange(all) ?? [0.1, 1];
    const edge = range[1] * 1.3;
    const traces = shown.ids.flatMap((id, y) => {
      const look = entrants[id];
      const name = report.plain(report.name(look));
      const color = report.colorOf(look);
      const runs = runsOf(id);
      const ran = runs.filter((run) => report.number(run.error) < Infinity);
      const failed = runs.filter((run) => !ran.includes(run));
      const common = { mode: "markers", showlegend: false };
      return [
        {
          ...common, x: [middle.get(id) < Infinity ? middle.get(id) : null], y: [y],
          marker: { symbol: "line-ns-open", size: 18, color, line: { width: 2, color } },
          hovertemplate: `${name}<br>median %{x:.2e}<extra></extra>`,
        },
        {
          ...common, x: ran.map((run) => run.error), y: ran.map(() => y), text: ran.map((run) => `seed ${run.seed}`),
          marker: { symbol: look.symbol, size: 8, color, opacity: 0.75, line: { width: 0 } },
          hovertemplate: `${name}<br>%{text}: %{x:.2e}<extra></extra>`,
        },
        {
          ...common, x: failed.map(() => edge), y: failed.map(() => y),
          text: failed.map((run) => `seed ${run.seed}: ${run.status === "ok" ? "no error known" : run.status}`),
          marker: { symbol: "x", size: 8, color: report.color("bad") },
          hovertemplate: `${name}<br>%{text}<extra></extra>`,
        },
      ];
    });
    return {
      traces, height: 90 + 24 * shown.ids.length,
      label: `Final ${metric} on ${label} of every seed of ${shown.ids.length} rows; ` +
        "the table of runs holds the same in numbers.",
      layout: {
        margin: { l: 12, r: 16, t: 8, b: 44 },
        xaxis: report.logAxis(metric, [range[0], edge * 1.4]),
        yaxis: report.axis("", {
          tickvals: shown.ids.map((_, y) => y), ticks: "", showline: false,
          ticktext: shown.ids.map((id) => report.plain(report.shorten(report.name(entrants[id]), innerWidth < 700 ? 22 : 44))),
          range: [shown.ids.length - 0.4, -0.6],
        }),
      },
    };
  };

  const rows = () => shown.ids.flatMap((id) => runsOf(id).map((run) => ({
    method: report.data("overview").entrants[id].name, backend: report.data("overview").entrants[id].backend,
    seed: run.seed, status: run.status, error: report.number(run.error),
    "charged (s)": report.number(run.charged_s), cell: run.cell,
  })));

  const plot = report.plot(report.part("seeds", "plot"), build);

  report.on("problem", (place) => {
    report.part("seeds", "bar").replaceChildren(
      ...report.downloads(`seeds ${report.data("overview").problems[place].label}`, rows));
  });

  report.on("shown", (now) => {
    shown = now;
    report.part("seeds", "about").textContent =
      `Final error of every run, a bar at the median; a cross at the right for a failure. ${report.whichShown(now)}`;
    plot.update();
  });
}
