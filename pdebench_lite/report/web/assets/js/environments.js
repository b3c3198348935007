"use strict";
/* Machines and versions that the records were measured with. */

{
  const { environments } = report.data("overview");

  const pairs = (rows) => report.make("dl", {}, ...rows.flatMap(([name, value]) => [
    report.make("dt", {}, name), report.make("dd", {}, value || "–")]));

  const item = ({ hash, records, methods, backends, devices, facts, installed }) => report.make("article", {},
    report.make("h3", {}, `Environment ${hash}`),
    pairs([
      ["records", `${records}`], ["methods", methods.join(", ")], ["backends", backends.join(", ")],
      ["devices", devices.join(", ")], ...facts,
    ]),
    ...(installed.length ? [report.make("details", {},
      report.make("summary", {}, `${installed.length} installed packages`), pairs(installed))] : []));

  report.part("environments", "list").append(...environments.map(item));
  report.part("environments", "bar").append(...report.downloads("environments", () =>
    environments.flatMap(({ hash, facts, installed }) => [
      ...facts.map(([name, value]) => ({ environment: hash, kind: "fact", name, value })),
      ...installed.map(([name, value]) => ({ environment: hash, kind: "package", name, value })),
    ])));
}
