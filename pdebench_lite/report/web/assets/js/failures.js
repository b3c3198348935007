"use strict";
/* What failed or was refused, with the end of its log. */

{
  const STEP = 50;
  const { failures, logs } = report.data("overview");
  const list = report.part("failures", "list");

  const item = ({ status, method, backend, seed, problem, reason, log, cell }) => {
    const made = report.make("details", { class: "failure" },
      report.make("summary", {},
        report.make("span", { class: `status ${status}` }, status), " ",
        report.make("strong", {}, `${method} · ${backend}`), ` · seed ${seed} · ${problem}`,
        report.make("span", { class: "reason" }, reason)),
      report.make("p", {}, `cell ${cell}`));
    made.addEventListener("toggle", () => {
      const text = log === null ? "The log is not in this file; it lies beside the record." : log || "The log is empty.";
      made.append(report.make("pre", { tabindex: "0", "aria-label": "end of the log" }, text));
    }, { once: true });
    return made;
  };

  const more = report.button("Show more", () => show());
  let shown = 0;
  const show = () => {
    more.before(...failures.slice(shown, shown + STEP).map(item));
    shown = Math.min(shown + STEP, failures.length);
    more.hidden = shown === failures.length;
  };

  const failed = failures.filter(({ status }) => status !== "unsupported").length;
  report.part("failures", "about").textContent = failures.length
    ? `${failed} failed, ${failures.length - failed} not supported.` +
      (failures.length > logs ? ` The ends of the first ${logs} logs are in this file.` : " Open one to see the end of its log.")
    : "Nothing failed.";
  if (failures.length) {
    list.append(more);
    show();
    report.part("failures", "bar").append(...report.downloads("failures", () =>
      failures.map(({ id, ...rest }) => rest)));
  }
}
