// The stage: the current step, large, with what it comes from on its left.

import { isLectureSize, pullAsBefore, pullOneCell } from "./changes.js";
import { arrayView } from "./cells.js";
import { curveView } from "./curves.js";
import { h } from "./dom.js";
import { namesIn } from "./frame.js";
import { symbol } from "./words.js";
import { windowView } from "./window.js";

// General formulas, by the name of what they give; the source of a pool is put in.
const FORMULAS = [
  [/^F_avg$/, (s) => ["1/HW · Σ", h("sub", {}, "i,j"), " ", symbol(s), "[c,i,j]"]],
  [/^F_max$/, (s) => ["max", h("sub", {}, "i,j"), " ", symbol(s), "[c,i,j]"]],
  [/^Fs_avg$/, (s) => ["1/C · Σ", h("sub", {}, "c"), " ", symbol(s), "[c,i,j]"]],
  [/^Fs_max$/, (s) => ["max", h("sub", {}, "c"), " ", symbol(s), "[c,i,j]"]],
  [/^M_/, () => ["1 / (1 + e", h("sup", {}, "−z"), ")"]],
];

export function stageView(explorer) {
  const { stage } = explorer;
  const { steps } = explorer.trace;
  const body = stage.window ? windowView(explorer) : flowView(explorer, stage.names);
  const tools = stage.names[0] === explorer.outputGradient ? upstreamTools(explorer) : null;
  return h(
    "div",
    { class: "stage-content", "data-stage": stage.id, "data-shape": String(steps.get("F").shape) },
    body,
    tools,
    stage.names.every((name) => !steps.get(name).rule) ? null : generalView(explorer, stage.names),
  );
}

function flowView(explorer, names) {
  const { steps } = explorer.trace;
  const operands = operandsOfStage(names, steps);
  const show = (name) => arrayView(explorer, name, { place: "stage", editable: !steps.get(name).rule });
  const hasCurve = curveView(explorer, names);
  if (!operands.length) return h("div", { class: "flow" }, names.map(show));
  return h(
    "div",
    { class: "flow" },
    h("div", { class: "side operands" }, operands.map(show)),
    h("div", { class: "becomes", "aria-hidden": "true" }, "→"),
    hasCurve,
    h("div", { class: "side results" }, names.map(show)),
  );
}

// What the steps of a stage are computed from, in the order of the calculation.
function operandsOfStage(names, steps) {
  const inputs = new Set();
  for (const name of names) {
    const { rule, shape } = steps.get(name);
    if (!rule) continue;
    const middles =
      shape.length === 3 ? [...Array(shape[0]).keys()].map((m) => [m, shape[1] >> 1, shape[2] >> 1]) : null;
    for (const index of middles ?? [shape.map((n) => n >> 1)])
      for (const input of namesIn(rule(index))) inputs.add(input);
  }
  return [...steps.keys()].filter((name) => inputs.has(name) && !names.includes(name));
}

function generalView(explorer, names) {
  const { steps } = explorer.trace;
  const lines = names.flatMap((name) => {
    const found = FORMULAS.find(([pattern]) => pattern.test(name));
    if (!found) return [];
    const [source] = namesIn(steps.get(name).rule(steps.get(name).shape.map(() => 0)));
    return [h("span", { class: "general" }, symbol(name), " = ", found[1](source))];
  });
  return lines.length ? h("p", { class: "generals" }, lines) : null;
}

// The gradient of the output can be the lecture's, or that of one cell alone.
function upstreamTools(explorer) {
  return h(
    "p",
    { class: "tools" },
    h(
      "button",
      { type: "button", class: "plain", onclick: () => pullOneCell(explorer) },
      "1 at the chosen cell, 0 elsewhere",
    ),
    isLectureSize(explorer)
      ? h("button", { type: "button", class: "plain", onclick: () => pullAsBefore(explorer) }, "as at the beginning")
      : null,
  );
}
