"use strict";
/* The field viewer: reference, solution and error beside each other, and a time to move through. */

{
  let field = null;
  let run = null;
  let moment = 0;
  let playing = 0;
  const part = (name) => report.part("fields", name);

  /** Return the numbers that a text packs as little-endian float32. */
  const unpacked = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  };

  const unpack = (holder, name) => (holder[`${name}Array`] ??= unpacked(holder[name]));
  const reference = () => field.references[run.reference];
  const axes = () => reference().axes;
  const timed = () => axes()[0].name === "t";
  const space = () => (timed() ? axes().slice(1) : axes());
  const times = () => (timed() ? axes()[0].values : [0]);
  const named = ({ name, unit }) => (unit && unit !== "dimensionless" ? `${name} (${unit})` : name);
  const look = () => report.data("overview").entrants[run.id];

  const arrays = () => ({
    reference: unpack(reference(), "values"), solution: unpack(run, "solution"), error: unpack(run, "error"),
  });

  /** Return rows for a map: time across where space has one axis, else the state at the moment. */
  const plane = (values) => {
    const [first, second] = space().map((axis) => axis.values.length);
    if (second) {
      const from = moment * first * second;
      return Array.from({ length: second }, (_, j) =>
        Float32Array.from({ length: first }, (__, i) => values[from + i * second + j]));
    }
    return Array.from({ length: first }, (_, i) =>
      Float32Array.from(times(), (__, k) => values[k * first + i]));
  };

  const flat = () => space().length === 1;
  const when = () => (timed() ? ` at t = ${times()[moment]}` : "");
  const mapped = () => !flat() || timed();

  const cursor = () => {
    if (!flat()) return [];
    const at = (x, more) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, ...more });
    return ["", "2", "3"].flatMap((n) => {
      const where = { xref: `x${n}`, yref: `y${n} domain` };
      const seen = n === "" ? field.observed.map((t) => at(t, { ...where, line: { color: "#000", width: 1, dash: "dash" } })) : [];
      return [...seen, at(times()[moment], { ...where, line: { color: "#e8a200", width: 2 } })];
    });
  };

  const logarithms = (rows, low) => rows.map((row) => row.map((value) => Math.log10(Math.max(value, low))));

  const maps = () => {
    if (!run || !mapped()) return null;
    const { reference: truth, solution, error } = arrays();
    const narrow = part("maps").clientWidth < 640;
    const [low, high] = field.decades;
    const titles = [field.against, report.shorten(report.name(look()), narrow ? 40 : 34), "|error|"];
    const across = flat() ? axes()[0] : space()[0];
    const down = flat() ? space()[0] : space()[1];
    const whole = { x: across.values, y: down.values, type: "heatmap", hoverongaps: false };
    const hover = `${report.plain(across.name)} %{x:.3g}, ${report.plain(down.name)} %{y:.3g}<br>`;
    const rows = plane(error);
    const traces = [
      { ...whole, z: plane(truth), coloraxis: "coloraxis", hovertemplate: `${hover}${field.against} %{z:.4g}<extra></extra>` },
      { ...whole, z: plane(solution), coloraxis: "coloraxis", xaxis: "x2", yaxis: "y2", hovertemplate: `${hover}solution %{z:.4g}<extra></extra>` },
      { ...whole, z: logarithms(rows, 10 ** low), text: rows.map((row) => [...row].map((value) => value.toExponential(1))),
        coloraxis: "coloraxis2", xaxis: "x3", yaxis: "y3", hovertemplate: `${hover}|error| %{text}<extra></extra>` },
    ];
    const places = narrow
      ? [[[0, 0.84], [0.71, 1]], [[0, 0.84], [0.355, 0.645]], [[0, 0.84], [0, 0.29]]]
      : [[[0, 0.27], [0, 1]], [[0.31, 0.58], [0, 1]], [[0.7, 0.94], [0, 1]]];
    const layout = {
      margin: { l: 50, r: 10, t: 30, b: 44 }, shapes: cursor(),
      coloraxis: {
        cmin: field.scale[0], cmax: field.scale[1], colorscale: report.data("overview").scales[field.signed ? "signed" : "plain"],
        colorbar: { x: narrow ? 0.86 : 0.585, len: narrow ? 0.65 : 1, y: narrow ? 0.68 : 0.5, thickness: 12, outlinewidth: 0, title: { text: report.plain(named(field)), side: "top" } },
      },
      coloraxis2: {
        cmin: low, cmax: high, colorscale: report.data("overview").scales.error,
        colorbar: {
          x: narrow ? 0.86 : 0.945, len: narrow ? 0.3 : 1, y: narrow ? 0.145 : 0.5, thickness: 12, outlinewidth: 0,
          tickvals: Array.from({ length: high - low + 1 }, (_, k) => low + k),
          ticktext: Array.from({ length: high - low + 1 }, (_, k) => `10<sup>${low + k}</sup>`),
        },
      },
      annotations: titles.map((text, k) => ({
        text: report.plain(text), xref: "paper", yref: "paper", showarrow: false, yanchor: "bottom",
        x: (places[k][0][0] + places[k][0][1]) / 2, y: places[k][1][1] + 0.005, font: { size: 12 },
      })),
    };
    places.forEach(([x, y], k) => {
      const n = k ? `${k + 1}` : "";
      const bottom = !narrow || k === 2;
      layout[`xaxis${n}`] = report.axis(bottom ? named(across) : "", {
        domain: x, anchor: `y${n}`, ...(k ? { matches: "x" } : {}), showticklabels: bottom, nticks: 5,
      });
      layout[`yaxis${n}`] = report.axis(k && !narrow ? "" : named(down), {
        domain: y, anchor: `x${n}`, ...(k ? { matches: "y" } : {}), showticklabels: !k || narrow, nticks: 5,
      });
    });
    return {
      traces, layout, height: narrow ? 780 : 300,
      label: `Maps of ${field.name}${when()}: ${field.against}, the solution of ${report.name(look())}, seed ${run.seed}, and its error, ${run.score}.`,
    };
  };

  /** Return solution, reference and error along the first axis at the moment. */
  const slice = () => {
    if (!run) return null;
    const [first, second] = space().map((axis) => axis.values.length);
    const middle = second ? Math.floor(second / 2) : 0;
    const from = moment * first * (second ?? 1) + middle;
    const pick = (values) => Array.from({ length: first }, (_, i) => values[from + i * (second ?? 1)]);
    const { reference: truth, solution, error } = arrays();
    const x = space()[0].values;
    const where = second ? `, ${space()[1].name} = ${space()[1].values[middle]}` : "";
    const color = report.colorOf(look());
    const own = report.plain(report.shorten(report.name(look()), 40));
    const traces = [
      { x, y: pick(truth), name: field.against, mode: "lines", line: { color: report.color("faint"), width: 4 }, hovertemplate: `${field.against} %{y:.4g}<extra></extra>` },
      { x, y: pick(solution), name: own, mode: "lines", line: { color, width: 2 }, hovertemplate: "solution %{y:.4g}<extra></extra>" },
      { x, y: pick(error), name: "|error|", mode: "lines", line: { color: report.color("bad"), width: 1.5 }, yaxis: "y2", hovertemplate: "|error| %{y:.1e}<extra></extra>" },
    ];
    const [low, high] = field.scale;
    const margin = 0.08 * (high - low || 1);
    return {
      traces, height: 400, label: `${field.name} along ${space()[0].name}${when()}${where}: ${field.against}, solution and error.`,
      layout: {
        hovermode: "x", title: { text: report.plain(`${field.name}${when()}${where}`), font: { size: 13 }, x: 0, xref: "paper" },
        margin: { l: 60, r: 12, t: 34, b: 44 },
        xaxis: report.axis(named(space()[0]), { anchor: "y2" }),
        yaxis: report.axis(named(field), { domain: [0.42, 1], range: [low - margin, high + margin] }),
        yaxis2: report.logAxis("|error|", [10 ** field.decades[0], 10 ** field.decades[1]], { domain: [0, 0.34], dtick: Math.ceil((field.decades[1] - field.decades[0]) / 3) }),
      },
    };
  };

  const unknown = () => {
    if (!run?.unknowns.length) return null;
    const { unknowns } = run;
    const layout = { margin: { l: 60, r: 12, t: 34, b: 44 }, title: { text: "Unknowns: found and true", font: { size: 13 }, x: 0, xref: "paper" } };
    const height = 1 / unknowns.length;
    const traces = unknowns.flatMap(({ name, unit, axis, found, true: truth }, k) => {
      const n = k ? `${k + 1}` : "";
      const top = 1 - k * height;
      layout[`xaxis${n}`] = report.axis(named(axis), { anchor: `y${n}` });
      layout[`yaxis${n}`] = report.axis(named({ name, unit }), { anchor: `x${n}`, domain: [top - height + (k < unknowns.length - 1 ? 0.12 : 0), top] });
      const place = { x: axis.values, mode: "lines", xaxis: `x${n}`, yaxis: `y${n}`, showlegend: !k };
      return [
        { ...place, y: truth, name: "true", line: { color: report.color("faint"), width: 4 }, hovertemplate: "true %{y:.4g}<extra></extra>" },
        { ...place, y: found.map(report.number), name: "found", line: { color: report.colorOf(look()), width: 2 }, hovertemplate: "found %{y:.4g}<extra></extra>" },
      ];
    });
    return {
      traces, layout, height: Math.max(400, 220 * unknowns.length),
      label: `Unknowns as found by ${report.name(look())}, and as they are.`,
    };
  };

  const plots = { maps: report.plot(part("maps"), maps), slice: report.plot(part("slice"), slice), unknown: report.plot(part("unknown"), unknown) };

  const clock = () => `t = ${times()[moment]}`;

  const slider = report.make("input", {
    type: "range", id: "moment", min: 0, step: 1, input: () => go(Number(slider.value)),
  });
  const reading = report.make("output", { for: "moment" });
  const play = report.button("Play", () => (playing ? stop() : start()));

  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.textContent = "Play";
  };

  const start = () => {
    play.textContent = "Pause";
    if (moment === times().length - 1) go(0);
    playing = setInterval(() => (moment < times().length - 1 ? go(moment + 1) : stop()), 100);
  };

  const told = () => {
    slider.value = moment;
    slider.setAttribute("aria-valuetext", clock());
    reading.textContent = clock();
  };

  /** Move to a moment: the cursor of the maps, and the slice. */
  const go = (to) => {
    moment = to;
    told();
    plots.slice.update();
    if (flat() && mapped() && !plots.maps.stale) Plotly.relayout(part("maps"), { shapes: cursor() });
    else plots.maps.update();
  };

  const choose = (of) => {
    run = of;
    stop();
    slider.max = times().length - 1;
    moment = Math.min(moment, times().length - 1);
    part("time").hidden = times().length < 2;
    told();
    part("about").textContent =
      `Seed ${run.seed}, ${run.score}. ` +
      (run.kept.length === run.stored.length
        ? `${run.kept.join(" × ")} of ${run.stored.join(" × ")} stored points are shown, spread evenly`
        : `Interpolated to ${run.kept.join(" × ")} points from ${run.stored.join(" × ")} stored ones`) +
      `${flat() && field.observed.length ? "; dashed: observed" : ""}.`;
    Object.values(plots).forEach((plot) => plot.update());
  };

  const rows = () => {
    const all = arrays();
    const lengths = axes().map((axis) => axis.values.length);
    return Array.from(all.solution, (solution, i) => {
      const made = {};
      let blocks = all.solution.length;
      axes().forEach((axis, k) => {
        blocks /= lengths[k];
        made[axis.name] = axis.values[Math.floor(i / blocks) % lengths[k]];
      });
      return { ...made, [field.name]: solution, [field.against]: all.reference[i], "|error|": all.error[i] };
    });
  };

  report.on("problem", (place) => {
    stop();
    const { fields, left_out: leftOut } = report.data("fields")[place];
    const { label } = report.data("overview").problems[place];
    for (const name of ["choices", "bar", "time"]) part(name).hidden = !fields.length;
    part("left-out").replaceChildren(...(leftOut.length && fields.length ? [report.make("details", {},
      report.make("summary", {}, `${leftOut.length} more rows of ${label} are without fields here, to bound this file's size`),
      report.make("p", {}, leftOut.slice(0, 200).join(", ")))] : []));
    if (!fields.length) {
      field = run = null;
      part("about").textContent = `No record of ${label} has fields that can be shown here.`;
      Object.values(plots).forEach((plot) => plot.update());
      return;
    }
    const nameOf = (of) => `${report.name(report.data("overview").entrants[of.id])} · seed ${of.seed}`;
    const pick = (of) => {
      field = of;
      const list = report.choice("Run", of.runs.map((one, i) => [i, nameOf(one)]), (i) => choose(of.runs[i]));
      const several = fields.length > 1
        ? [report.choice("Field", fields.map((one, i) => [i, one.name]), (i) => pick(fields[i]))] : [];
      several.forEach(({ list: names }) => { names.value = fields.indexOf(of); });
      part("choices").replaceChildren(...several.map(({ element }) => element), list.element);
      choose(of.runs[0]);
    };
    pick(fields[0]);
    part("bar").replaceChildren(...report.downloads(`fields ${label}`, rows));
  });

  part("time").append(report.make("label", { for: "moment" }, "Time"), slider, reading, play);
}
