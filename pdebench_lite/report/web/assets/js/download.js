"use strict";
/* The data behind a view, as files that are made in the browser. */

{
  const FORMULA = /^[=+\-@\t\r]/;

  /** Write a cell of CSV; no spreadsheet takes a text for a formula, numbers stay numbers. */
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return Number.isNaN(value) ? "" : String(value);
    const text = FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  /** Write rows, given as objects, as CSV; the columns are those of all rows. */
  report.csv = (rows) => {
    const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const lines = rows.map((row) => head.map((name) => cell(row[name])).join(","));
    return `${[head.map(cell).join(","), ...lines].join("\n")}\n`;
  };

  const save = (name, type, text) => {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = report.make("a", { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  const infinite = (key, value) =>
    value === Infinity ? "inf" : value === -Infinity ? "-inf" : value;

  /**
   * Return the two buttons that save what a view shows.
   * @param {string} what - names the file and the buttons, such as "leaderboard".
   * @param {function(): object[]} rows - returns the rows of the view as it is then.
   */
  report.downloads = (what, rows) => {
    const file = what.replaceAll(/[^a-z0-9]+/gi, "-");
    return [
      report.button("CSV", () => save(`${file}.csv`, "text/csv", report.csv(rows())),
        { "aria-label": `Download ${what} as CSV`, class: "save" }),
      report.button("JSON", () =>
        save(`${file}.json`, "application/json", JSON.stringify(rows(), infinite, 1)),
      { "aria-label": `Download ${what} as JSON`, class: "save" }),
    ];
  };
}
