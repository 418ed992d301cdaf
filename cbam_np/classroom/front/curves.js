// σ and ReLU as curves, with a point for every number that goes through them.

import { h } from "./dom.js";
import { keyOf, valueIn } from "./origin.js";
import { toFloat } from "./numbers.js";
import { allIndices } from "./rules.js";
import { sigmoid } from "./twin.js";
import { symbol } from "./words.js";

const [WIDTH, HEIGHT, EDGE] = [250, 170, 26];
const CURVES = {
  sigmoid: { name: "σ", f: sigmoid, low: 0, high: 1 },
  relu: { name: "ReLU", f: (x) => Math.max(0, x) },
};

// Draw the curve that leads from `before` to the steps in `names`, which are all computed by it; null if by none.
export function curveView(explorer, names) {
  const steps = names.map((name) => explorer.trace.steps.get(name)).filter(({ rule }) => rule);
  const found = steps
    .map((step) => [step, step.rule(step.shape.map(() => 0))])
    .filter(([, rule]) => rule.how in CURVES);
  if (!found.length || explorer.state.mode === "predict") return null;
  const { name, f, low, high } = CURVES[found[0][1].how];
  const points = found.flatMap(([step, rule]) =>
    allIndices(step.shape).map((index) => ({
      cell: [step.name, index],
      x: toFloat(valueIn(explorer.trace.values)([rule.cell[0], index])),
    })),
  );
  const reach = Math.min(1e6, Math.max(4, ...points.map(({ x }) => Math.abs(x)).filter(Number.isFinite)) * 1.1);
  const [bottom, top] = [low ?? -0.08 * reach, high ?? reach];
  const X = (x) => EDGE + ((Math.max(-reach, Math.min(reach, x)) + reach) / (2 * reach)) * (WIDTH - 2 * EDGE);
  const Y = (y) =>
    HEIGHT - EDGE - ((Math.max(bottom, Math.min(top, y)) - bottom) / (top - bottom)) * (HEIGHT - 2 * EDGE);
  const path = [...Array(81).keys()]
    .map((n) => -reach + (n / 40) * reach)
    .map((x, n) => `${n ? "L" : "M"}${X(x).toFixed(1)} ${Y(f(x)).toFixed(1)}`)
    .join("");
  const chosen = points.filter(({ cell }) => explorer.isChosen(cell));
  return h(
    "figure",
    { class: "curve" },
    h(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        width: WIDTH,
        height: HEIGHT,
        role: "img",
        "aria-label": `the curve of ${name}, with ${points.length} points`,
      },
      h("line", { class: "axis", x1: EDGE, x2: WIDTH - EDGE, y1: Y(0), y2: Y(0) }),
      h("line", { class: "axis", x1: X(0), x2: X(0), y1: EDGE, y2: HEIGHT - EDGE }),
      h("path", { class: "line", d: path }),
      chosen.map(({ x }) => h("path", { class: "drop", d: `M${X(x)} ${Y(0)} V${Y(f(x))} H${X(0)}` })),
      points.map(({ cell, x }) =>
        h("circle", {
          class: explorer.isChosen(cell) ? "point chosen" : "point",
          cx: X(x),
          cy: Y(f(x)),
          r: explorer.isChosen(cell) ? 7 : 5,
          "data-key": keyOf(cell),
        }),
      ),
      h("text", { x: WIDTH - EDGE, y: Y(0) + 18, "text-anchor": "end" }, round(reach)),
      h("text", { x: EDGE, y: Y(0) + 18 }, round(-reach)),
      low === 0 ? h("text", { x: X(0) - 6, y: Y(1) + 5, "text-anchor": "end" }, "1") : null,
    ),
    h("figcaption", {}, `${name} of `, symbol(found[0][1].cell[0])),
  );
}

function round(x) {
  return String(Number(x.toPrecision(2))).replace("-", "−");
}
