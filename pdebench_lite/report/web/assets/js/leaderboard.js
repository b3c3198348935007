"use strict";
/* The leaderboard of the chosen problem; the rows that it shows are those of the plots. */

{
  const LINES = 24;

  /** Return rows of all blocks in turn, so that no block crowds out another. */
  const inTurn = (blocks) => {
    const taken = [];
    const longest = Math.max(0, ...blocks.map((rows) => rows.length));
    for (let i = 0; i < longest && taken.length < LINES; i += 1) {
      for (const rows of blocks) if (i < rows.length && taken.length < LINES) taken.push(rows[i]);
    }
    return taken;
  };

  report.on("problem", (place) => {
    const { label, metric, meaning, leaderboard } = report.data("overview").problems[place];
    report.part("leaderboard", "about").textContent =
      `${label}: final ${metric}${meaning ? ` (${meaning})` : ""}. ` +
      "Ranks, bold type and sorting stay within rows that were given equal data.";
    report.part("leaderboard", "lines").replaceChildren(
      ...leaderboard.lines.map((line) => report.make("p", { class: "note" }, line)));
    report.part("leaderboard", "rules").replaceChildren(
      ...leaderboard.rules.map((rule) => report.make("li", {}, rule)));
    report.table(report.part("leaderboard", "table"), leaderboard, {
      name: `leaderboard ${label}`, swatches: true,
      onchange: (rows) => {
        const left = new Set(rows);
        const blocks = leaderboard.groups.map((group) => group.rows.filter((row) => left.has(row)));
        const ids = inTurn(blocks).map((row) => row.id);
        const order = rows.map((row) => row.id).filter((id) => ids.includes(id));
        report.tell("shown", { place, ids: order, of: rows.length });
      },
    });
  });

  /** Say which rows a plot shows. */
  report.whichShown = ({ ids, of }) =>
    ids.length < of
      ? `The first ${ids.length} of the ${of} rows of the leaderboard; filter or sort it to choose others.`
      : "All rows of the leaderboard; filter it to choose among them.";
}
