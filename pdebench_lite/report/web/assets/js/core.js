"use strict";
/* What all parts of the page share. Text from records enters the page as text nodes only. */

const report = {};

{
  const read = new Map();

  /** Return the data of a part, parsed when first asked for. */
  report.data = (name) => {
    if (!read.has(name)) {
      read.set(name, JSON.parse(document.getElementById(`part-${name}`).textContent));
    }
    return read.get(name);
  };

  /** Return the element of a section that has a given part. */
  report.part = (section, name) =>
    document.getElementById(section).querySelector(`[data-part="${name}"]`);

  /** Make an element; functions are listeners, other values attributes; texts become text nodes. */
  report.make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  /** Turn a number of the data into one of JavaScript's; null where it is not known. */
  report.number = (value) =>
    value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;

  /** Say something to those who cannot see what has changed. */
  report.announce = (text) => {
    document.getElementById("announcer").textContent = text;
  };

  /** Return a function that runs once, when its calls have paused. */
  report.calmly = (run, pause = 120) => {
    let waiting = 0;
    return (...given) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => run(...given), pause);
    };
  };

  let choices = 0;

  /** Return a labelled drop-down list of [value, text]. */
  report.choice = (label, options, onchange) => {
    const id = `choice-${(choices += 1)}`;
    const list = report.make("select", { id, change: () => onchange(list.value) },
      ...options.map(([value, text]) => report.make("option", { value }, text)));
    return { list, element: report.make("span", {}, report.make("label", { for: id }, label), " ", list) };
  };

  /** Return a button. */
  report.button = (text, click, attributes = {}) =>
    report.make("button", { type: "button", click, ...attributes }, text);

  /** Return text of at most so many characters. */
  report.shorten = (text, length) =>
    text.length > length ? `${text.slice(0, length - 1)}…` : text;

  /** Name an entrant. */
  report.name = (entrant) => `${entrant.name} · ${entrant.backend}`;

  const listeners = new Map();

  /** Hear of an event of the page: "problem", "shown" or "theme". */
  report.on = (event, run) => {
    listeners.set(event, [...(listeners.get(event) ?? []), run]);
  };

  /** Tell all who hear of an event. */
  report.tell = (event, ...given) => {
    for (const run of listeners.get(event) ?? []) run(...given);
  };
}
