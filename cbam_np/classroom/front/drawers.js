// The drawers at the side: choices, answers, comparison.

import { answersView } from "./answers.js";
import { choicesView } from "./choices.js";
import { compareView } from "./compare.js";
import { h } from "./dom.js";

export const DRAWERS = {
  choices: ["Choices", choicesView],
  answers: ["Is mine right?", answersView],
  compare: ["Compare", compareView],
};

// Open a drawer, or close it with null. The focus goes with it, so that the next Tab is in it, or at its button again.
export function turnDrawer(explorer, name) {
  const { drawer } = explorer.state;
  explorer.set({ drawer: name });
  explorer.root.querySelector(name ? ".drawer" : `[data-drawer="${drawer}"]`)?.focus();
}

export function drawerView(explorer, name) {
  const [title, view] = DRAWERS[name];
  return h(
    "aside",
    { class: "drawer", tabindex: "-1", "aria-label": title, "data-key": `drawer:${name}` },
    h(
      "div",
      { class: "drawer-head" },
      h("h2", {}, title),
      h(
        "button",
        { type: "button", class: "plain", "aria-label": "close", onclick: () => turnDrawer(explorer, null) },
        "×",
      ),
    ),
    view(explorer),
  );
}
