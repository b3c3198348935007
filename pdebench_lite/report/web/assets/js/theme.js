"use strict";
/* Light and dark: the system's choice until the reader makes another. */

{
  const button = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "system";

  const choose = (theme) => {
    chosen = theme;
    const root = document.documentElement;
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    report.tell("theme");
  };

  button.addEventListener("click", () =>
    choose(themes[(themes.indexOf(chosen) + 1) % themes.length]));
  // Paper is white: whatever the theme, the page is printed in the light one.
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.theme = "light";
    report.tell("print");
  });
  addEventListener("afterprint", () => {
    choose(chosen);
    report.tell("printed");
  });

  dark.addEventListener("change", () => report.tell("theme"));

  /** Return a colour of the page's style. */
  report.color = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const onDark = () => {
    const { theme } = document.documentElement.dataset;
    return theme ? theme === "dark" : dark.matches;
  };

  /** Return the colour of a method; it follows the theme, or it would not be seen in it. */
  report.colorOf = (look) =>
    look.neutral ? report.color("neutral") : onDark() ? look.on_dark : look.color;
}
