"use strict";
/* Work and precision, and convergence, of the rows that the leaderboard shows. */

{
  let shown = null;
  let metric = "";
  let against = "charged_s";
  const BANDS = 8; // more of them hide each other
  const AXES = { charged_s: "charged time (s)", step: "steps" };

  const problem = () => report.data("overview").problems[shown.place];
  const part = () => report.data("curves")[shown.place];
  const entrants = () => report.data("overview").entrants;
  const numbers = (values) => values.map(report.number);

  const courses = () => {
    const wanted = new Set(shown.ids);
    return part().work.filter((course) => course.ids.some((id) => wanted.has(id)));
  };

  const hasMedian = (course) => numbers(course.error).some(Number.isFinite);

  const bound = (low) => {
    const value = problem().bound;
    if (!value || value < low) return [];
    return [{
      type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value,
      line: { color: report.color("faint"), dash: "dot", width: 1 },
      label: { text: "bound of the reference", textposition: "end", font: { size: 10, color: report.color("faint") } },
    }];
  };

  const line = (look, more = {}) => ({ color: report.colorOf(look), dash: look.dash, width: 2, ...more });

  /** Return the band between smallest and largest error over seeds; misses reach the top. */
  const band = (course, seconds, top) => {
    const edge = { x: seconds, mode: "lines", line: { width: 0, shape: "hv" }, hoverinfo: "skip", showlegend: false };
    const high = numbers(course.high).map((value) => Math.min(value, top));
    return [
      { ...edge, y: numbers(course.low).map((value) => (value < Infinity ? value : null)) },
      { ...edge, y: high, fill: "tonexty", fillcolor: `${report.colorOf(course)}2b` },
    ];
  };

  const work = () => {
    if (!shown) return null;
    const drawn = courses().filter(hasMedian);
    if (!drawn.length) return null;
    const times = report.logRange(drawn.flatMap((course) => numbers(course.seconds)));
    const errors = report.logRange(drawn.flatMap((course) => [...numbers(course.error), ...numbers(course.low)]));
    const traces = drawn.flatMap((course) => {
      const seconds = numbers(course.seconds);
      const name = report.plain(report.shorten(`${course.name} · ${course.backend}`, 60));
      const error = numbers(course.error);
      const last = error.findLastIndex(Number.isFinite);
      const middle = {
        x: seconds, y: error.map((value) => (value < Infinity ? value : null)), name,
        mode: "lines+markers", line: line(course, course.curve ? {} : { shape: "hv" }),
        marker: {
          symbol: course.symbol, color: report.colorOf(course), line: { width: 0 },
          size: error.map((_, i) => (course.curve || i === last ? 8 : 0)),
        },
        text: course.curve && course.configurations.length === error.length
          ? course.configurations.map(report.plain) : undefined,
        hovertemplate: `${course.curve ? "%{text}" : name}<br>%{y:.2e} after %{x:.3g} s<extra></extra>`,
      };
      return course.seeds > 1 && !course.curve && drawn.length <= BANDS ? [...band(course, seconds, errors[1] * 10), middle] : [middle];
    });
    return {
      traces, height: 400 + 20 * Math.ceil(drawn.length / 2),
      label: `Work and precision on ${problem().label}: ${problem().metric} against charged time, ` +
        `${drawn.length} curves. The tables of equal time and equal error hold the same in numbers.`,
      layout: {
        showlegend: true, xaxis: report.logAxis("charged time (s)", times),
        yaxis: report.logAxis(problem().metric, errors), shapes: bound(errors[0]),
      },
    };
  };

  const chosen = () => {
    const wanted = new Set(shown.ids);
    return part().histories.filter((run) => wanted.has(run.id) && run.history?.[metric]);
  };

  const convergence = () => {
    if (!shown) return null;
    const drawn = chosen();
    if (!drawn.length) return null;
    const named = new Set();
    const axis = against;
    const all = drawn.map((run) => ({
      run, x: numbers(run.history[axis] ?? []), y: numbers(run.history[metric]),
    }));
    const traces = all.map(({ run, x, y }) => {
      const look = entrants()[run.id];
      const name = report.plain(report.shorten(report.name(look), 60));
      const first = !named.has(run.id);
      named.add(run.id);
      const failed = run.status !== "ok";
      return {
        x, y, name, legendgroup: `${run.id}`, showlegend: first, mode: "lines+markers",
        line: line(look, { width: 1.5 }),
        marker: {
          symbol: failed ? "x" : look.symbol, color: failed ? report.color("bad") : report.colorOf(look),
          size: x.map((_, i) => (i === x.length - 1 ? 7 : 0)), line: { width: 0 },
        },
        hovertemplate: `${name} · seed ${run.seed}${failed ? ` · ${run.status}` : ""}` +
          `<br>%{y:.2e} at %{x:.4g}${axis === "charged_s" ? " s" : " steps"}<extra></extra>`,
      };
    });
    const errors = report.logRange(all.flatMap(({ y }) => y));
    return {
      traces, height: 400 + 20 * Math.ceil(named.size / 2),
      label: `Convergence on ${problem().label}: ${metric} against ${AXES[axis]}, ${drawn.length} runs.`,
      layout: {
        showlegend: true, xaxis: report.logAxis(AXES[axis], report.logRange(all.flatMap(({ x }) => x))),
        yaxis: report.logAxis(metric, errors),
        shapes: metric === problem().metric && errors ? bound(errors[0]) : [],
      },
    };
  };

  const workRows = () => courses().flatMap((course) => course.seconds.map((second, i) => ({
    method: course.name, backend: course.backend, given: course.given,
    configuration: course.curve ? course.configurations[i] : course.name, "charged (s)": report.number(second),
    "median error": report.number(course.error[i]), smallest: report.number(course.low[i]),
    largest: report.number(course.high[i]), seeds: course.seeds,
  })));

  const convergenceRows = () => chosen().flatMap((run) => run.history.charged_s.map((_, i) => ({
    method: entrants()[run.id].name, backend: entrants()[run.id].backend, seed: run.seed,
    cell: run.cell, status: run.status,
    ...Object.fromEntries(Object.entries(run.history).map(([name, values]) => [name, report.number(values[i])])),
  })));

  const workPlot = report.plot(report.part("curves", "work"), work);
  const convergencePlot = report.plot(report.part("curves", "convergence"), convergence);

  report.on("problem", (place) => {
    const { metrics, moments, histories } = report.data("curves")[place];
    const names = [...metrics, ...(histories.some((run) => run.history?.loss) ? ["loss"] : [])];
    metric = names.find((name) => histories.some((run) => run.history?.[name])) ?? metrics[0];
    const redraw = () => convergencePlot.update();
    const error = report.choice("Show", names.map((name) => [name, name]), (name) => {
      metric = name;
      redraw();
    });
    error.list.value = metric;
    const axis = report.choice("against", Object.entries(AXES), (name) => {
      against = name;
      redraw();
    });
    axis.list.value = against;
    const { label } = report.data("overview").problems[place];
    report.part("curves", "convergence-bar").replaceChildren(error.element, axis.element,
      ...report.downloads(`convergence ${label}`, convergenceRows));
    report.part("curves", "work-bar").replaceChildren(
      ...report.downloads(`work and precision ${label}`, workRows));
    report.part("curves", "thinned").textContent =
      `Every run a line, at most ${moments} of its evaluations, spread evenly; a cross where it failed.`;
  });

  report.on("shown", (rows) => {
    shown = rows;
    report.part("curves", "about").textContent = report.whichShown(rows);
    const missed = courses().filter((course) => !hasMedian(course)).map(report.name);
    report.part("curves", "missed").textContent =
      missed.length ? `No median, for too many runs failed: ${missed.join(", ")}.` : "";
    workPlot.update();
    convergencePlot.update();
  });
}
