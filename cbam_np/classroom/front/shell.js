// The explorer as a whole: bar, stage, frame, formula, steps, and a drawer at the side.

import { wordView } from "./confirm.js";
import { h } from "./dom.js";
import { DRAWERS, drawerView, turnDrawer } from "./drawers.js";
import { formulaView } from "./formula.js";
import { frameView } from "./frame.js";
import { imageView } from "./image.js";
import { stageView } from "./stage.js";

const MODES_SAID = { walk: "Walk", all: "All", predict: "Predict", image: "Image" };

export function shellView(explorer) {
  const { mode, drawer } = explorer.state;
  const body = mode === "image" ? imageView(explorer) : lessonView(explorer);
  return h(
    "div",
    { class: `shell mode-${mode}${drawer ? " with-drawer" : ""}` },
    barView(explorer),
    h("div", { class: "body" }, body, drawer && mode !== "image" ? drawerView(explorer, drawer) : null),
  );
}

function barView(explorer) {
  const { mode, drawer, way } = explorer.state;
  const modes = Object.entries(MODES_SAID).filter(([name]) => name !== "image" || explorer.begin.images);
  return h(
    "header",
    { class: "bar" },
    h("h1", {}, "CBAM"),
    h(
      "div",
      { class: "modes", role: "group", "aria-label": "mode" },
      modes.map(([name, said]) =>
        h(
          "button",
          { type: "button", "aria-pressed": String(mode === name), onclick: () => explorer.set({ mode: name }) },
          said,
        ),
      ),
    ),
    mode === "all"
      ? h(
          "div",
          { class: "modes", role: "group", "aria-label": "direction" },
          ["forward", "backward"].map((name) =>
            h(
              "button",
              { type: "button", "aria-pressed": String(way === name), onclick: () => explorer.set({ way: name }) },
              name,
            ),
          ),
        )
      : null,
    mode === "image"
      ? null
      : h(
          "div",
          { class: "drawers", role: "group", "aria-label": "drawers" },
          Object.entries(DRAWERS).map(([name, [title]]) =>
            h(
              "button",
              {
                type: "button",
                class: "plain",
                "data-drawer": name,
                "aria-expanded": String(drawer === name),
                onclick: () => turnDrawer(explorer, drawer === name ? null : name),
              },
              title,
            ),
          ),
        ),
    wordView(explorer),
    h(
      "button",
      {
        type: "button",
        class: "plain theme",
        "aria-label": explorer.theme === "dark" ? "light colours" : "dark colours",
        onclick: () => explorer.turnTheme(),
      },
      explorer.theme === "dark" ? "☀" : "☾",
    ),
  );
}

function lessonView(explorer) {
  const { mode } = explorer.state;
  const { stage } = explorer;
  return h(
    "div",
    { class: "lesson" },
    mode === "all"
      ? null
      : h(
          "section",
          { class: "stage", "aria-labelledby": `${explorer.id}-title` },
          h(
            "div",
            { class: "stage-head" },
            h(
              "h2",
              { id: `${explorer.id}-title` },
              h("span", { class: "number" }, explorer.place + 1),
              ` ${stage.title}`,
            ),
            h(
              "p",
              {},
              mode === "predict" && stage.names.some((name) => explorer.trace.steps.get(name).rule)
                ? "Your turn: type what you get. Each number is judged at once."
                : stage.says,
            ),
          ),
          h("div", { class: "fitted", "data-fits": "stage" }, stageView(explorer)),
        ),
    h(
      "section",
      { class: "frame", "aria-label": "diagram" },
      h("div", { class: "fitted", "data-fits": "frame" }, frameView(explorer, explorer.inRows)),
    ),
    h("div", { class: "foot" }, formulaView(explorer), mode === "all" ? null : stepsView(explorer)),
  );
}

function stepsView(explorer) {
  const { stages, place } = explorer;
  const isBack = (stage) => stage.way === "backward";
  return h(
    "nav",
    { class: "steps", "aria-label": "steps" },
    h(
      "button",
      { type: "button", class: "plain turn", disabled: place === 0, onclick: () => explorer.go(-1) },
      "← Back",
    ),
    h("span", { class: "count" }, `${place + 1} of ${stages.length}`),
    h(
      "ol",
      {},
      stages.map((stage, at) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: `dot${at < place ? " done" : ""}${isBack(stage) ? " back" : ""}`,
              "aria-current": at === place ? "step" : null,
              tabindex: at === place ? "0" : "-1",
              "aria-label": `step ${at + 1}: ${stage.title}`,
              title: stage.title,
              onclick: () => explorer.go(at - place),
            },
            at + 1,
          ),
        ),
      ),
    ),
    h(
      "button",
      { type: "button", class: "turn next", disabled: place === stages.length - 1, onclick: () => explorer.go(1) },
      "Next →",
    ),
  );
}
