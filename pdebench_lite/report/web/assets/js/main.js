"use strict";
/* The tables of equal time and error, the choice of a problem, and the start. */

{
  const { problems, overall } = report.data("overview");
  const list = document.getElementById("problem");

  const sheet = (data) => {
    const host = report.make("div");
    const made = report.make("div", { class: "sheet" }, report.make("h3", {}, data.title), host,
      report.make("p", { class: "small" }, data.rules.join(" · ")));
    report.table(host, data, { name: data.title });
    return made;
  };

  report.on("problem", (place) => {
    const { tables, tables_left_out: leftOut } = problems[place];
    report.part("tables", "tables").replaceChildren(
      ...(leftOut ? [report.make("p", { class: "note" }, leftOut)] : []),
      ...tables.map(sheet), ...overall.map(sheet));
  });

  const choose = () => report.tell("problem", Number(list.value));
  list.addEventListener("change", choose);
  if (problems.length) {
    choose();
  } else {
    list.disabled = true;
    for (const name of ["leaderboard", "curves", "seeds", "fields", "tables"]) {
      document.getElementById(name).replaceChildren();
    }
    document.getElementById("leaderboard").append(
      report.make("p", { class: "note" }, "Nothing to compare: no method supports the problem; see the runs."));
  }
  document.documentElement.dataset.ready = "true";
}
