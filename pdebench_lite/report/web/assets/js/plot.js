"use strict";
/* Plots: drawn when they come into view, and again when the theme changes. */

{
  const CONFIG = {
    displaylogo: false, responsive: true, scrollZoom: false, showTips: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  const PAPER = 680; // pixels across a page of paper, within its margins
  const plots = [];
  let printing = false;

  /** Return text that Plotly shows as it is: it reads tags and entities in labels. */
  report.plain = (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  /** Return an axis in the colours of the page. */
  report.axis = (title, more = {}) => ({
    title: { text: report.plain(title), standoff: 8 }, gridcolor: report.color("grid"),
    linecolor: report.color("line"), zeroline: false, showline: true, ticks: "outside",
    tickcolor: report.color("line"), automargin: true, ...more,
  });

  /** Return a logarithmic axis; `range` holds the ends, or null to fit what is shown. */
  report.logAxis = (title, range = null, more = {}) => {
    const ends = range && range.map(Math.log10);
    const decades = ends ? ends[1] - ends[0] : 0;
    const dtick = decades < 2.2 ? "D2" : Math.max(1, Math.round(decades / 6)); // D2: 1, 2, 5
    return report.axis(title, {
      type: "log", exponentformat: "power", dtick, ...(ends ? { range: ends } : {}), ...more,
    });
  };

  /** Return the ends of a logarithmic axis around the positive numbers among those given. */
  report.logRange = (values) => {
    let low = Infinity;
    let high = 0;
    for (const value of values) {
      if (value > 0 && value < Infinity) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return high ? [low / 1.5, high * 1.5] : null;
  };

  const frame = (layout) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: { family: report.color("font"), size: 12, color: report.color("text") },
    margin: { l: 56, r: 12, t: 12, b: 44 },
    hoverlabel: {
      bgcolor: report.color("raised"), bordercolor: report.color("line"), align: "left",
      font: { color: report.color("text") },
    },
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top", font: { size: 11 } },
    ...layout,
  });

  class Plot {
    /**
     * @param {Element} host - where it is drawn.
     * @param {function(): ?object} build - returns `traces`, `layout`, and a `label` in words for
     *   those who cannot see it; or null where there is nothing to draw.
     */
    constructor(host, build) {
      Object.assign(this, { host, build, seen: false, stale: true });
      host.setAttribute("role", "img");
      plots.push(this);
      new IntersectionObserver((entries) => {
        this.seen = entries.at(-1).isIntersecting;
        if (this.seen && this.stale) this.draw();
      }, { rootMargin: "200px" }).observe(host);
    }

    /** Draw now if it can be seen, else when it comes into view. */
    update() {
      this.stale = true;
      if (this.seen) this.draw();
    }

    draw() {
      if (typeof Plotly === "undefined") return; // it comes last in the page; see "load" below
      this.stale = false;
      const made = this.build();
      this.host.hidden = !made;
      if (!made) {
        Plotly.purge(this.host);
        return;
      }
      this.host.setAttribute("aria-label", made.label);
      const layout = { ...frame(made.layout), height: made.height ?? 400 };
      if (printing) layout.width = Math.min(PAPER, this.host.clientWidth);
      Plotly.react(this.host, made.traces, layout, CONFIG);
    }
  }

  report.plot = (host, build) => new Plot(host, build);

  const update = () => plots.forEach((plot) => plot.update());
  report.on("theme", update);
  addEventListener("load", update);
  report.on("print", () => {
    printing = true;
    plots.forEach((plot) => plot.draw());
  });
  report.on("printed", () => {
    printing = false;
    update();
  });
}
