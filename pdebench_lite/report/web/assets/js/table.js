"use strict";
/* A table that can be sorted and filtered, a page at a time; blocks of rows stay apart. */

{
  const PAGE = 100;
  const FEW = 5; // rows that need no filter
  let count = 0;

  const textOf = (cell) => (Array.isArray(cell) ? cell[0] : cell);
  const valueOf = (cell) => (Array.isArray(cell) ? report.number(cell[1]) : cell);
  const missing = (value) => value === null || value === undefined || value === "" || value === "–";

  /** Compare two values; what is not known comes last either way. */
  const order = (a, b, sign) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a < b ? -1 : a > b ? 1 : 0);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };

  report.Table = class {
    /**
     * @param {Element} host - what the table is put into.
     * @param {object} data - columns and groups of rows, as the page holds them.
     * @param {object} options - `name` of files and captions; `swatches`: whether methods have
     *   their colour; `onchange`: hears of the rows that are left after each filter or sort.
     */
    constructor(host, data, { name, swatches = false, onchange = () => {} }) {
      Object.assign(this, { data, name, swatches, onchange, page: 0, sort: null, words: "" });
      this.id = `table-${(count += 1)}`;
      this.facets = new Map();
      this.shown = new Set(data.columns.flatMap((column, i) => (column.shown === false ? [] : [i])));
      this.caption = report.make("caption", { class: "unseen" }, name);
      this.head = report.make("thead");
      this.table = report.make("table", {}, this.caption, this.head);
      this.tally = report.make("span", { class: "tally" });
      this.pager = report.make("div", { class: "bar pager", role: "group", "aria-label": `Pages of ${name}` });
      host.replaceChildren(
        this.toolbar(),
        report.make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, this.table),
        this.pager,
      );
      this.refresh(false);
    }

    /** Return the controls above the table. */
    toolbar() {
      const search = report.make("input", {
        type: "search", placeholder: "Filter rows", "aria-label": `Filter ${this.name}`,
        input: report.calmly(() => {
          this.words = search.value.trim().toLowerCase();
          this.changed();
        }, 80),
      });
      const bar = report.make("div", { class: "bar" }, ...(this.rows().length < FEW ? [] : [search]));
      this.data.columns.forEach((column, i) => {
        const values = column.facet ? [...new Set(this.rows().map((row) => textOf(row.cells[i])))] : [];
        if (values.length < 2) return;
        const options = [["", "all"], ...values.sort().map((value) => [value, report.shorten(value, 40)])];
        const { list, element } = report.choice(column.head, options, (value) => {
          if (value) this.facets.set(i, value);
          else this.facets.delete(i);
          this.changed();
        });
        list.setAttribute("aria-label", `Only ${column.head}`);
        bar.append(element);
      });
      const boxes = this.data.columns.map((column, i) => report.make("label", {},
        report.make("input", {
          type: "checkbox", checked: this.shown.has(i), change: (event) => {
            if (event.target.checked) this.shown.add(i);
            else this.shown.delete(i);
            this.draw();
          },
        }), ` ${column.head}`));
      bar.append(
        report.make("details", { class: "columns" },
          report.make("summary", {}, "Columns"), report.make("div", { class: "menu" }, ...boxes)),
        ...report.downloads(this.name, () => this.asObjects()),
        this.tally,
      );
      return bar;
    }

    rows() {
      return this.data.groups.flatMap((group) => group.rows);
    }

    changed() {
      this.page = 0;
      this.refresh(true);
    }

    /** Keep the rows that fit, sort them within their blocks, and draw. */
    refresh(aloud) {
      const fits = (row) => {
        for (const [i, value] of this.facets) if (textOf(row.cells[i]) !== value) return false;
        if (!this.words) return true;
        row.text ??= row.cells.map(textOf).join(" ").toLowerCase();
        return this.words.split(/\s+/).every((word) => row.text.includes(word));
      };
      this.left = this.data.groups.flatMap((group) => {
        const rows = group.rows.filter(fits);
        if (this.sort) {
          const { column, sign } = this.sort;
          const keyed = rows.map((row) => [valueOf(row.cells[column]), row]);
          keyed.sort((a, b) => order(a[0], b[0], sign));
          return keyed.map(([, row]) => ({ group, row }));
        }
        return rows.map((row) => ({ group, row }));
      });
      this.draw();
      if (aloud) report.announce(`${this.name}: ${this.tally.textContent}${this.sorted()}`);
      this.onchange(this.left.map(({ row }) => row));
    }

    sorted() {
      if (!this.sort) return "";
      const { column, sign } = this.sort;
      return `, sorted by ${this.data.columns[column].head}, ${sign > 0 ? "ascending" : "descending"}`;
    }

    /** Draw the head and the rows of the page. */
    draw(everything = false) {
      const columns = [...this.shown].sort((a, b) => a - b);
      this.head.replaceChildren(report.make("tr", {}, ...columns.map((i) => this.heading(i))));
      const first = everything ? 0 : this.page * PAGE;
      const rows = this.left.slice(first, everything ? undefined : first + PAGE);
      const bodies = [];
      let group = null;
      let body = null;
      for (const item of rows) {
        if (item.group !== group || !body) {
          group = item.group;
          body = report.make("tbody");
          bodies.push(body);
          if (group.heading) {
            body.append(report.make("tr", { class: "group" }, report.make("th",
              { scope: "rowgroup", colspan: columns.length }, report.make("span", {}, group.heading))));
          }
        }
        body.append(this.row(item.row, columns));
      }
      if (!rows.length) {
        bodies.push(report.make("tbody", {}, report.make("tr", {},
          report.make("td", { colspan: columns.length }, "no row fits"))));
      }
      for (const old of [...this.table.tBodies]) old.remove();
      this.table.append(...bodies);
      const all = this.rows().length;
      this.tally.textContent =
        this.left.length === all ? `${all} row${all === 1 ? "" : "s"}` : `${this.left.length} of ${all} rows`;
      this.drawPager();
    }

    heading(i) {
      const column = this.data.columns[i];
      const mine = this.sort?.column === i ? this.sort.sign : 0;
      const unit = column.unit ? [" ", report.make("span", { class: "unit" }, `(${column.unit})`)] : [];
      const button = report.button(column.head, () => this.sortBy(i), { class: "sort" });
      button.append(...unit);
      return report.make("th", {
        scope: "col", class: column.numeric ? "numeric" : null,
        "aria-sort": mine ? (mine > 0 ? "ascending" : "descending") : "none",
      }, button);
    }

    /** Sort ascending, then descending, then as the comparison had them. */
    sortBy(column) {
      const sign = this.sort?.column === column ? this.sort.sign : 0;
      this.sort = sign < 0 ? null : { column, sign: sign > 0 ? -1 : 1 };
      this.changed();
      const place = [...this.shown].sort((a, b) => a - b).indexOf(column);
      this.head.rows[0].cells[place].firstChild.focus();
    }

    row(row, columns) {
      return report.make("tr", {}, ...columns.map((i) => {
        const column = this.data.columns[i];
        const text = textOf(row.cells[i]);
        const content = this.content(column, text, row);
        const classes = [column.kind, column.numeric ? "numeric" : "", row.bold.includes(i) ? "best" : ""];
        const attributes = { class: classes.filter(Boolean).join(" ") };
        return column.head === "method"
          ? report.make("th", { ...attributes, scope: "row" }, ...content)
          : report.make("td", attributes, ...content);
      }));
    }

    content(column, text, row) {
      if (column.head === "method" && this.swatches && row.id !== null && row.id !== undefined) {
        return [report.swatch(report.data("overview").entrants[row.id]), text];
      }
      if (column.kind === "status") return [report.make("span", { class: `status ${text}` }, text)];
      if (column.head === "unequal" && text) {
        return text.split(", ").map((word) => report.make("span", { class: "mark" }, word));
      }
      const cut = column.kind === "interval" ? text.indexOf(" ") : -1;
      if (cut < 0) return [text];
      return [text.slice(0, cut), report.make("span", { class: "ends" }, ` ${text.slice(cut + 1)}`)];
    }

    drawPager() {
      const pages = Math.ceil(this.left.length / PAGE);
      this.pager.hidden = pages < 2;
      if (pages < 2) return;
      const go = (page) => () => {
        this.page = page;
        this.draw();
        this.table.parentElement.scrollTop = 0;
        report.announce(`page ${page + 1} of ${pages}`);
      };
      const turn = (text, page) =>
        report.button(text, go(page), { disabled: page < 0 || page >= pages || page === this.page });
      const from = this.page * PAGE;
      this.pager.replaceChildren(
        turn("First", 0), turn("Previous", this.page - 1),
        report.make("span", {}, `rows ${from + 1} to ${Math.min(from + PAGE, this.left.length)}`),
        turn("Next", this.page + 1), turn("Last", pages - 1),
      );
    }

    /** Return the rows that are left as objects, for a file: every column, numbers in full. */
    asObjects() {
      const grouped = this.data.groups.some((group) => group.heading);
      return this.left.map(({ group, row }) => {
        const made = grouped ? { block: group.heading } : {};
        this.data.columns.forEach(({ head, unit, kind }, i) => {
          const name = unit ? `${head} (${unit})` : head;
          const cell = row.cells[i];
          if (!Array.isArray(cell)) {
            made[name] = cell;
            return;
          }
          const [value, low, high] = cell.slice(1).map(report.number);
          made[name] = value;
          if (kind !== "interval") return;
          if (cell.length === 2) made[`${name} as shown`] = cell[0];
          else Object.assign(made, { [`${name} low`]: low, [`${name} high`]: high });
        });
        return made;
      });
    }
  };

  const tables = new Set();

  /** Return a table that is printed in full. */
  report.table = (host, data, options) => {
    const made = new report.Table(host, data, options);
    for (const table of tables) if (!table.table.isConnected) tables.delete(table);
    tables.add(made);
    return made;
  };

  report.on("print", () => tables.forEach((table) => table.draw(true)));
  report.on("printed", () => tables.forEach((table) => table.draw()));

  /** Return the colour of a method as a small square; its name stands beside it. */
  report.swatch = (look) => {
    const made = report.make("span", { class: look.neutral ? "swatch neutral" : "swatch", "aria-hidden": "true" });
    if (!look.neutral) made.style.background = look.color;
    return made;
  };
}
