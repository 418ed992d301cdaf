// The explorer in a notebook: Python confirms every number.

import { Explorer } from "./explorer.js";
import { received } from "./numbers.js";
import { deepMap } from "./state.js";

// What the kernel answers: {calculate, check, look}, each with the answer and, where there is none, the problem.
function pythonOf(model) {
  let number = 0;
  const waiting = new Map();
  model.on("msg:custom", (message) => {
    const done = waiting.get(message.number);
    waiting.delete(message.number);
    done?.(message.answer ?? null, message.problem);
  });
  const ask = (kind, content, done) => {
    waiting.set(++number, done);
    model.send({ kind, number, ...content });
  };
  const numbersOf = (values) =>
    values && Object.fromEntries(Object.entries(values).map(([name, array]) => [name, deepMap(array, received)]));
  return {
    calculate: (example, done, { aside = false } = {}) =>
      ask("calculate", { example, aside }, (values, problem) => done(numbersOf(values), problem)),
    check: (answers, example, done) => ask("check", { answers, example }, done),
    look: (image, done) => ask("look", { image }, done),
  };
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys
  el.append(root);
  const theme = () => {
    const lab = document.body.dataset.jpThemeLight;
    const dark = lab
      ? lab === "false"
      : document.body.classList.contains("vscode-dark") || document.documentElement.classList.contains("dark");
    root.dataset.theme = dark ? "dark" : "light";
  };
  theme();
  const explorer = new Explorer(root, model.get("begin"), { python: pythonOf(model) });
  const watched = new MutationObserver(() => {
    const before = root.dataset.theme;
    theme();
    if (before !== root.dataset.theme) explorer.draw();
  });
  watched.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  const resized = new ResizeObserver(() => explorer.fit());
  resized.observe(root);
  return () => {
    watched.disconnect();
    resized.disconnect();
    clearInterval(explorer.sliding);
  };
}

export default { render };
