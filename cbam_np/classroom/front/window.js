// The window: the kernel moves over the padded maps, and meets a number, or a zero of the padding, with each weight.

import { startTyping, stopTyping, textOf, typeInto } from "./typing.js";
import { arrayView, shortened, styleOf } from "./cells.js";
import { h } from "./dom.js";
import { fractionText, isExact, isZero, plus, read, times, toFloat, write, ZERO } from "./numbers.js";
import { valueIn } from "./origin.js";
import { allIndices } from "./rules.js";
import { cellName, forPool, symbol } from "./words.js";

// Draw the stage of the convolution. The pixel of the window is the chosen one of the scores.
export function windowView(explorer) {
  const { values, steps } = explorer.trace;
  const { choices } = explorer.state;
  const [, k] = steps.get("W7").shape;
  const [i, j] = pixelOf(explorer);
  const halves = choices.spatial_pools.map((pool, m) => {
    const map = `Fs_${pool}`;
    return h(
      "div",
      { class: "half", "data-key": `half:${map}` },
      paddedView(explorer, map, m, k, [i, j]),
      h("span", { class: "times", "aria-hidden": "true" }, "·"),
      kernelView(explorer, m, k, [i, j]),
    );
  });
  return h(
    "div",
    { class: "window" },
    h("div", { class: "halves" }, halves),
    h(
      "div",
      { class: "window-side" },
      totalsView(explorer, [i, j], k, values),
      arrayView(explorer, explorer.scores, { place: "stage" }),
      reachView(explorer, [i, j]),
      h(
        "div",
        { class: "window-buttons" },
        h(
          "button",
          {
            type: "button",
            class: "plain",
            onclick: () => explorer.set({ products: !explorer.state.products }),
            "aria-pressed": String(explorer.state.products),
          },
          "products",
        ),
        h(
          "button",
          {
            type: "button",
            class: "plain",
            onclick: () => slide(explorer),
            "aria-pressed": String(Boolean(explorer.sliding)),
          },
          explorer.sliding ? "stop" : "slide",
        ),
      ),
    ),
  );
}

// The pixel that the window is at: the chosen one of the scores, or where it has been last.
function pixelOf({ state: { cell }, scores, trace, lastPixel = [0, 0] }) {
  if (cell && cell[0] === scores) return cell[1];
  return lastPixel.map((i, axis) => Math.min(i, trace.steps.get(scores).shape[axis] - 1));
}

// Let the window move over the maps by itself, or stop it.
function slide(explorer) {
  if (explorer.sliding) {
    clearInterval(explorer.sliding);
    explorer.sliding = null;
    return explorer.draw();
  }
  const next = () => {
    if (!explorer.stage.window || explorer.state.mode === "image") return slide(explorer);
    const pixels = allIndices(explorer.trace.steps.get(explorer.scores).shape);
    const at = pixels.findIndex((pixel) => String(pixel) === String(pixelOf(explorer)));
    explorer.set({ cell: [explorer.scores, pixels[(at + 1) % pixels.length]] });
  };
  explorer.sliding = setInterval(next, 900);
  next();
}

// One pooled map with its padding; the window is outlined on it.
function paddedView(explorer, name, m, k, [i, j]) {
  const [H, W] = explorer.trace.steps.get(name).shape;
  const half = k >> 1;
  const valueOf = valueIn(explorer.trace.values);
  const largest = Math.max(...explorer.trace.values[name].flat().map((x) => Math.abs(toFloat(x))));
  const cells = allIndices([H + 2 * half, W + 2 * half]).map(([y, x]) => {
    const at = [y - half, x - half];
    const isPadding = at[0] < 0 || at[0] >= H || at[1] < 0 || at[1] >= W;
    const edges = edgesAt([y - i, x - j], k);
    if (isPadding) return h("span", { class: `cell padding ${edges}` }, "0");
    const isUsed = edges && !isZero(valueOf(["W7", [m, y - i, x - j]]));
    const classes = `cell ${edges}${isUsed ? " used" : ""}${at[0] === i && at[1] === j ? " middle" : ""}`;
    return h(
      "span",
      { class: classes, style: styleOf(valueOf([name, at]), name, largest, explorer.theme) },
      write(valueOf([name, at]), 2),
    );
  });
  return h(
    "div",
    { class: "array padded", role: "img", "aria-label": `${name} with padding, the window at pixel ${i + 1},${j + 1}` },
    h("div", { class: "caption" }, symbol(name), h("span", { class: "note" }, "with padding")),
    h("div", { class: "map", style: `--columns: ${W + 2 * half}` }, cells),
  );
}

// Say whether a place in the window is there at all, and at which edges of it: "met at-top at-left".
function edgesAt([a, b], k) {
  if (a < 0 || a >= k || b < 0 || b >= k) return "";
  const edges = [
    ["at-top", a === 0],
    ["at-bottom", a === k - 1],
    ["at-left", b === 0],
    ["at-right", b === k - 1],
  ];
  return ["met", ...edges.filter(([, isThere]) => isThere).map(([edge]) => edge)].join(" ");
}

// One half of the kernel as a heat map; its weights can be typed over. Or the products, where these are wanted.
function kernelView(explorer, m, k, [i, j]) {
  const pool = explorer.state.choices.spatial_pools[m];
  const valueOf = valueIn(explorer.trace.values);
  const [H, W] = explorer.trace.steps.get(explorer.scores).shape;
  const met = ([a, b]) => {
    const at = [i + a - (k >> 1), j + b - (k >> 1)];
    return at[0] >= 0 && at[0] < H && at[1] >= 0 && at[1] < W ? valueOf([`Fs_${pool}`, at]) : ZERO;
  };
  const { products } = explorer.state;
  const numbers = allIndices([k, k]).map((at) =>
    products ? times(valueOf(["W7", [m, ...at]]), met(at)) : valueOf(["W7", [m, ...at]]),
  );
  const largest = Math.max(...numbers.map((x) => Math.abs(toFloat(x))));
  const cells = allIndices([k, k]).map((at, n) =>
    weightView(explorer, ["W7", [m, ...at]], numbers[n], largest, products),
  );
  return h(
    "div",
    {
      class: "array in-stage kernel",
      role: "group",
      "aria-label": `kernel ${forPool(pool)}`,
    },
    h(
      "div",
      { class: "caption" },
      products
        ? ["products", explorer.state.mode === "predict" ? "" : `, sum ${write(numbers.reduce(plus, ZERO))}`]
        : [symbol("W7"), h("span", { class: "note" }, forPool(pool))],
    ),
    h("div", { class: "map", style: `--columns: ${k}` }, cells),
  );
}

function weightView(explorer, cell, value, largest, products) {
  const key = `${cell[0]}:${cell[1].join()}`;
  const text = textOf(explorer, cell);
  const isBad = read(text) === null;
  const shown =
    explorer.editing === key || isBad
      ? text
      : isExact(value) && fractionText(value).length <= 5
        ? fractionText(value).replace("-", "−")
        : rounded(value);
  const common = {
    class: `cell ${explorer.lightOn(cell)}${isZero(value) ? " nothing" : ""}`,
    "data-cell": key,
    "data-key": `stage:${key}`,
    style: styleOf(value, "W7", largest, explorer.theme),
  };
  if (products) return h("span", common, isZero(value) ? "0" : write(value, 2));
  return h(
    "span",
    { class: `field${isBad ? " bad" : ""}` },
    h("input", {
      ...common,
      type: "text",
      value: shown,
      title: shown === text ? null : text,
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": cellName(cell),
      tabindex: explorer.isTabStop(cell, "stage") ? "0" : "-1",
      "aria-invalid": isBad ? "true" : null,
      style: `${common.style};${explorer.editing === key ? `min-width:${shown.length + 2}ch` : ""}`,
      onfocus: () => startTyping(explorer, cell),
      onblur: () => stopTyping(explorer, cell),
      oninput: (event) => typeInto(explorer, cell, event.target.value),
    }),
    isBad ? h("span", { class: "bad-note", role: "status" }, "not a number") : null,
  );
}

// A weight of many digits is rounded, and dots say so.
function rounded(value) {
  const short = write(toFloat(value), 2);
  return shortened(short, value) === short && Math.abs(Number(short.replace("−", "-")) - toFloat(value)) < 1e-12
    ? short
    : `${short}…`;
}

function totalsView(explorer, [i, j], k, values) {
  const valueOf = valueIn(values);
  const rule = explorer.trace.steps.get(explorer.scores).rule([i, j]);
  const sums = explorer.state.choices.spatial_pools.map((pool, m) => [
    pool,
    rule.terms
      .filter(([[, [half]]]) => half === m)
      .reduce((sum, [w, f]) => plus(sum, times(valueOf(w), valueOf(f))), ZERO),
  ]);
  if (explorer.state.mode === "predict") return null;
  return h(
    "p",
    { class: "totals" },
    sums.map(([pool, sum], at) => [at ? " + " : "", h("span", { class: "part" }, pool, " ", write(sum))]),
    " = ",
    h("strong", {}, write(valueOf([explorer.scores, [i, j]]))),
  );
}

// How much of the maps this window sees: for a uniform kernel everything, from everywhere.
function reachView(explorer, pixel) {
  const { steps, values } = explorer.trace;
  const valueOf = valueIn(values);
  const seen = (at) =>
    new Set(
      steps
        .get(explorer.scores)
        .rule(at)
        .terms.filter(([w]) => !isZero(valueOf(w)))
        .map(([, [, place]]) => String(place)),
    );
  const pixels = allIndices(steps.get(explorer.scores).shape);
  const here = seen(pixel).size;
  const everywhere = pixels.length > 1 && pixels.every((at) => seen(at).size === pixels.length);
  const scores = pixels.map((at) => toFloat(valueOf([explorer.scores, at])));
  const same = Math.max(...scores) - Math.min(...scores) < 1e-9 * Math.max(1, Math.abs(scores[0]));
  const said = everywhere
    ? `Every window sees all ${pixels.length} pixels${same ? ", and all give the same number." : "."}`
    : `Here the weights meet ${here} of ${pixels.length} pixels.`;
  return h("p", { class: "reach" }, said);
}
