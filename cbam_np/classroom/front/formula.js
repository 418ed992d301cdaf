// The chosen cell, with its numbers: where it comes from, what it influences, and what a nudge does.

import { h } from "./dom.js";
import { kindOfVerdict, SAID } from "./judging.js";
import { cameFrom, formulaOf, goesTo, keyOf, valueIn } from "./origin.js";
import { outputGradient } from "./state.js";
import { evaluate, filled } from "./twin.js";
import { plus, read, toFloat, write } from "./numbers.js";
import { cellName, cellSymbol } from "./words.js";

const NUDGE = 0.01;

export function formulaView(explorer) {
  const { cell, lens, deep } = explorer.state;
  if (!cell || !explorer.trace.steps.has(cell[0]))
    return h(
      "section",
      { class: "formula", "aria-label": "formula" },
      h("p", { class: "hint" }, "Touch a cell to see where it comes from."),
    );
  if (explorer.problem)
    return h(
      "section",
      { class: "formula", "aria-label": "formula" },
      h("p", { class: "line", role: "alert" }, explorer.problem),
    );
  const toggle = (name, isOn, change) =>
    h(
      "button",
      { type: "button", class: "plain", "aria-pressed": String(isOn), onclick: () => explorer.set(change) },
      name,
    );
  const isDeep = deep && lens === "from" && !explorer.nudged;
  return h(
    "section",
    { class: `formula${isDeep ? " deep" : ""}`, "aria-label": "formula" },
    h(
      "div",
      { class: "formula-buttons" },
      toggle("comes from", lens === "from", { lens: "from" }),
      toggle("influences", lens === "to", { lens: "to" }),
      toggle("all the way", deep, { deep: !deep }),
      canBeNudged(explorer, cell)
        ? h("button", { type: "button", class: "plain", onclick: () => explorer.nudge(cell) }, `nudge by ${NUDGE}`)
        : null,
    ),
    h(
      "div",
      { class: "formula-text", "aria-live": "polite" },
      explorer.nudged
        ? nudgeView(explorer.nudged)
        : lens === "from"
          ? fromView(explorer, cell)
          : toView(explorer, cell),
    ),
  );
}

function fromView(explorer, cell) {
  const isSecret = explorer.isHidden(cell[0]) && explorer.verdictOn(cell)?.verdict !== "right";
  if (explorer.state.deep && !isSecret) return trailView(explorer, cell);
  return lineView(explorer, cell, isSecret);
}

function lineView(explorer, cell, isSecret = false, most = 20) {
  const { symbols, numbers, result, isDone } = formulaOf(cell, explorer.trace, most);
  const head = h("strong", { class: "subject" }, cellSymbol(cell));
  if (isSecret)
    return h("p", { class: "line" }, head, symbols ? [" = ", symbols] : null, " = ? ", verdictView(explorer, cell));
  if (!numbers)
    return h(
      "p",
      { class: "line" },
      head,
      " ",
      result,
      h("span", { class: "note" }, " given: type another number to change it"),
    );
  return h(
    "p",
    { class: "line" },
    head,
    symbols ? [" = ", h("span", { class: "symbols" }, symbols)] : null,
    " = ",
    numbers,
    isDone ? null : [" ", h("strong", {}, result)],
  );
}

// What is said of the number that was predicted for a cell.
function verdictView(explorer, cell) {
  const said = explorer.verdictOn(cell);
  if (!said) return null;
  const { verdict, mistake, sentence } = said;
  const name = mistake ? [": ", mistake, ". "] : null;
  return h("span", { class: `note verdict ${kindOfVerdict(verdict)}` }, h("strong", {}, SAID[verdict]), name, sentence);
}

// Every cell on the way back to F, nearest first.
function trailView(explorer, cell) {
  const trail = [...cameFrom(cell, explorer.trace).keys()]
    .map(cellOf)
    .filter(([name]) => explorer.trace.steps.get(name).rule);
  const shown = trail.slice(0, 40);
  return h(
    "div",
    { class: "trail", tabindex: "0", role: "group", "aria-label": "all the way to F" },
    shown.map((at) => lineView(explorer, at, false, 4)),
    trail.length > shown.length
      ? h("p", { class: "line" }, `… and ${trail.length - shown.length} more cells, lit in the diagram`)
      : null,
  );
}

function toView(explorer, cell) {
  const near = [...goesTo(cell, explorer.trace, 1).keys()].slice(1);
  const all = [...goesTo(cell, explorer.trace).keys()].slice(1);
  const reached = explorer.state.deep ? all : near;
  if (!reached.length)
    return h("p", { class: "line" }, h("strong", {}, cellSymbol(cell)), " influences nothing that comes after it.");
  const byName = new Map();
  for (const key of reached) byName.set(cellOf(key)[0], [...(byName.get(cellOf(key)[0]) ?? []), cellOf(key)]);
  const parts = [...byName].map(([name, cells]) => {
    const total = explorer.trace.steps.get(name).shape.reduce((a, b) => a * b, 1);
    return cells.length <= 2
      ? cells.map(cellSymbol).flatMap((part, at) => (at ? [", ", part] : part))
      : [cellSymbol([name, []]), cells.length === total ? ` (all ${total})` : ` (${cells.length} of ${total})`];
  });
  return h(
    "p",
    { class: "line" },
    h("strong", {}, cellSymbol(cell)),
    " influences ",
    parts.flatMap((part, at) => (at ? ["; ", part] : part)),
    explorer.state.deep || all.length === near.length ? "" : ` … ${all.length} cells in all`,
  );
}

export function cellOf(key) {
  const [name, index] = key.split(":");
  return [name, index ? index.split(",").map(Number) : []];
}

// --- nudging ---

function canBeNudged(explorer, [name]) {
  return (
    explorer.state.mode !== "predict" &&
    !name.startsWith("d") &&
    explorer.trace.steps.has(`d${name}`) &&
    explorer.trace.steps.has(explorer.outputGradient)
  );
}

// Move one number by a little, and compare how the loss L = Σ dF″ · F″ moves with the gradient of the way back.
export function nudgeOf(cell, trace, choices) {
  const gradientOfOutput = outputGradient(choices);
  const lossOf = (values) => lossWith(values[gradientOfOutput.slice(1)], trace.values[gradientOfOutput]);
  const moved = nudgedValues(cell, trace);
  const slope = (lossOf(moved) - lossOf(trace.values)) / NUDGE;
  const gradient = toFloat(valueIn(trace.values)([`d${cell[0]}`, cell[1]]));
  const grown = new Set(); // the cells that moved
  for (const { name, shape } of trace.steps.values()) {
    if (name.startsWith("d")) continue;
    filled(shape, (index) => {
      const [a, b] = [trace.values, moved].map((values) => toFloat(valueIn(values)([name, index])));
      if (Math.abs(a - b) > 1e-12) grown.add(keyOf([name, index]));
    });
  }
  return { cell, slope, gradient, count: grown.size - 1, grown };
}

function nudgedValues(cell, { steps, values }) {
  const moved = {};
  const valueOf = valueIn(moved);
  for (const { name, shape, rule } of steps.values()) {
    if (name.startsWith("d")) break;
    moved[name] = filled(shape, (index) => {
      const value = rule ? evaluate(rule(index), valueOf) : valueIn(values)([name, index]);
      return keyOf([name, index]) === keyOf(cell) ? plus(value, read(String(NUDGE)).value) : value;
    });
  }
  return moved;
}

function lossWith(output, pull) {
  const pulls = pull.flat(2).map(toFloat);
  return output.flat(2).reduce((sum, out, at) => sum + toFloat(out) * pulls[at], 0);
}

function nudgeView({ cell, slope, gradient, count }) {
  const far = Math.abs(slope - gradient) > 0.05 * Math.max(0.05, Math.abs(gradient));
  const verdict = far
    ? "They differ: there is a corner here, a tied maximum or a ReLU at 0, or the curve bends much."
    : "They agree, as far as a step of this size can tell.";
  return h(
    "p",
    { class: "line" },
    h("strong", {}, cellSymbol(cell)),
    ` moved by ${NUDGE}: ${count} cells move, and L = Σ dF″ · F″ by `,
    write(slope * NUDGE, 5),
    `. Slope ${write(slope, 4)}, gradient d${cellName(cell)} = ${write(gradient, 4)}. ${verdict}`,
  );
}
