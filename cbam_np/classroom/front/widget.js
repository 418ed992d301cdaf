// The explorer in a notebook: the kernel computes, and the widget keeps the state.

import { Explorer } from "./explorer.js";
import { received } from "./numbers.js";
import { deepMap } from "./state.js";

// Ask the kernel, and hand its answer on; of several questions of one kind, only the last is waited for.
function calculatorOf(model) {
  let number = 0;
  const waiting = new Map();
  model.on("msg:custom", (message) => {
    const done = waiting.get(message.number);
    waiting.delete(message.number);
    if (!done) return;
    done(message.answer ?? null, message.problem);
  });
  const ask = (kind, content, done) => {
    waiting.set(++number, done);
    model.send({ kind, number, ...content });
    return number;
  };
  let latest = 0;
  return {
    calculate(example, done, { aside = false } = {}) {
      const mine = ask("calculate", { example, aside }, (values, problem) => {
        if (!aside && mine !== latest) return; // something newer is on its way
        done(
          values && Object.fromEntries(Object.entries(values).map(([name, array]) => [name, deepMap(array, received)])),
          problem,
        );
      });
      if (!aside) latest = mine;
    },
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
  const explorer = new Explorer(root, model.get("begin"), calculatorOf(model));
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
