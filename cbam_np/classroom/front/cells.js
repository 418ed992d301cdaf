// Arrays as grids of cells: numbers to look at, to touch, and, where they are given, to type.

import { oldText, startTyping, stopTyping, textOf, typeInto } from "./typing.js";
import { coloursOf, kindOf } from "./colours.js";
import { h } from "./dom.js";
import { kindOfVerdict } from "./judging.js";
import { isWholeStory, read, toFloat, write } from "./numbers.js";
import { keyOf, valueIn } from "./origin.js";
import { typedPlace } from "./state.js";
import { allIndices } from "./rules.js";
import { cellName, forPool, operation, symbol } from "./words.js";

const MARKS = { right: "✓", cut: "✂", follows: "↳", wrong: "✗" };
const LETTERS_SHOWN = 7; // letters of a field that is not being typed in

// Draw an array. `place` tells the frame from the stage; `badge` puts the operation over it.
export function arrayView(explorer, name, { place, badge = false, editable = false, note = null }) {
  const step = explorer.trace.steps.get(name);
  const shape = step.shape;
  const isHidden = explorer.isHidden(name);
  const largest = Math.max(
    ...flat(explorer.trace.values[name])
      .map((x) => Math.abs(toFloat(x)))
      .filter(Number.isFinite),
    0,
  );
  const maps = shape.length === 3 ? allIndices([shape[0]]) : [[]];
  const draw = (index) => cellView(explorer, [name, index], { place, editable, isHidden, largest });
  const inMap = allIndices(shape.slice(maps[0].length)); // of a vector a column, of a number the number alone
  const grids = maps.map((map) =>
    h(
      "div",
      { class: "map", style: `--columns: ${shape.length < 2 ? 1 : shape.at(-1)}` },
      place === "stage" && shape.length === 3
        ? h("span", { class: "map-name" }, mapName(explorer, name, map[0]))
        : null,
      inMap.map((index) => draw([...map, ...index])),
    ),
  );
  const operator = badge
    ? operation(name, explorer.trace.steps.get("W7")?.shape[1], explorer.trace.steps.has("y_s"))
    : "";
  const caption = h(
    "div",
    { class: "caption" },
    operator ? h("span", { class: "badge", "aria-hidden": "true" }, operator) : null,
    h("span", { class: "symbol" }, symbol(name)),
    note ? h("span", { class: "note" }, note) : null,
  );
  const label = shape.length ? `${name}, ${shape.join(" by ")}` : name;
  return h(
    "div",
    {
      class: `array in-${place}${shape.at(-1) > 5 ? " dense" : ""}`,
      "data-key": `${place}:${name}:${shape}`,
      "data-name": name,
      role: "group",
      "aria-label": label,
    },
    caption,
    h("div", { class: "maps" }, grids),
  );
}

// A stack of maps belongs to the channels of the feature map, or for a kernel to its pools.
export function mapName(explorer, name, c) {
  if (name.endsWith("W7")) return forPool(explorer.state.choices.spatial_pools[c]);
  const word = explorer.begin.channels[c];
  return explorer.trace.steps.get("F").shape[0] === explorer.begin.channels.length
    ? `${c + 1}: ${word}`
    : `channel ${c + 1}`;
}

export function flat(array) {
  return Array.isArray(array) ? array.flat(Infinity) : [array];
}

// Draw one cell: a number to touch, a field to type into, or an empty cell for a prediction.
function cellView(explorer, cell, { place, editable, isHidden, largest }) {
  const value = valueIn(explorer.trace.values)(cell);
  const predicts = explorer.state.mode === "predict";
  const said = predicts ? explorer.verdictOn(cell)?.verdict : null;
  const verdict = said ? kindOfVerdict(said) : null;
  const isPredicted = isHidden && predicts && place === "stage";
  const shows = !isHidden || (verdict !== null && verdict !== "wrong");
  const old = shows ? oldText(explorer, cell) : null;
  const classes = [
    "cell",
    explorer.lightOn(cell),
    old === null ? null : "changed",
    verdict,
    shows || isPredicted ? null : "unknown",
  ];
  const common = {
    class: classes.filter(Boolean).join(" "),
    style: shows && !isPredicted ? styleOf(value, cell[0], largest, explorer.theme) : null,
    "data-key": `${place}:${keyOf(cell)}`,
    "data-cell": keyOf(cell),
    tabindex: explorer.isTabStop(cell, place) ? "0" : "-1",
  };
  if (editable && typedPlace(cell, explorer.state.choices)) return fieldView(explorer, cell, common, value);
  if (isPredicted) return predictionView(explorer, cell, common, verdict);
  return numberView(explorer, cell, common, shows ? write(value) : null, old);
}

export function styleOf(value, name, largest, theme) {
  const { background, ink } = coloursOf(toFloat(value), kindOf(name), largest, theme);
  return `background:${background};color:${ink}`;
}

// A number to look at and to touch; null is one that has not been reached.
function numberView(explorer, cell, common, text, old) {
  const before = old === null ? "" : `, was ${old}`;
  const attributes = {
    ...common,
    type: "button",
    "aria-label": text === null ? `${cellName(cell)}, not there yet` : `${cellName(cell)} = ${text}${before}`,
    "aria-pressed": String(explorer.isChosen(cell)),
    onclick: () => explorer.choose(cell),
  };
  const isLarge = common["data-key"].startsWith("stage");
  return h("button", attributes, text ?? "?", old !== null && isLarge ? h("small", { class: "old" }, old) : null);
}

// A number that was given and can be typed over.
function fieldView(explorer, cell, common, value) {
  const name = cellName(cell);
  const text = textOf(explorer, cell);
  const isBad = read(text) === null;
  const isActive = explorer.editing === keyOf(cell);
  const shown = isActive || isBad ? text : shortened(text, value);
  const width = Math.max(4, shown.length + 1);
  return h(
    "span",
    { class: `field${isBad ? " bad" : ""}`, "data-key": `field:${common["data-key"]}` },
    h("input", {
      ...common,
      type: "text",
      inputmode: "text",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": name,
      value: shown,
      style: `${common.style ?? ""};width:${width}ch`,
      title: shown === text ? null : text,
      "aria-invalid": isBad ? "true" : null,
      "aria-describedby": isBad ? "not-a-number" : null,
      onfocus: () => startTyping(explorer, cell),
      onblur: () => stopTyping(explorer, cell),
      oninput: (event) => typeInto(explorer, cell, event.target.value),
    }),
    isBad ? h("span", { class: "bad-note", id: "not-a-number", role: "status" }, "not a number") : null,
  );
}

// Never cut a number off: a long one is rounded, and the dots say that there is more.
export function shortened(text, value) {
  if (text.length <= LETTERS_SHOWN) return text.trim().replace("-", "−");
  const short = write(value);
  return isWholeStory(value, short) ? short : `${short}…`;
}

// An empty cell of predict mode, for the student's own number.
function predictionView(explorer, cell, common, verdict) {
  const text = explorer.state.answers[cellName(cell)] ?? "";
  return h(
    "span",
    { class: `field predicted ${verdict ?? ""}`, "data-key": `predict:${common["data-key"]}` },
    h("input", {
      ...common,
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      value: text,
      placeholder: "?",
      "aria-label": `your ${cellName(cell)}${verdict ? `, ${verdict}` : ""}`,
      style: `width:${Math.max(5, text.length + 1)}ch`,
      onfocus: () => explorer.choose(cell),
      oninput: (event) => explorer.predict(cell, event.target.value),
    }),
    verdict ? h("span", { class: "mark", "aria-hidden": "true" }, MARKS[verdict] ?? "…") : null,
  );
}

// Move with the arrow keys; at the edge of a map, on to the next one. Returns the new index, or null.
export function moved(index, shape, key) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
  if (!step) return null;
  if (shape.length === 1) {
    const at = index[0] + step[0] + step[1];
    return at >= 0 && at < shape[0] ? [at] : null;
  }
  const [H, W] = shape.slice(-2);
  let map = shape.length === 3 ? index[0] : 0;
  let [i, j] = index.slice(-2).map((x, axis) => x + step[axis]);
  if (i < 0 || i >= H || j < 0 || j >= W) {
    map += i < 0 || j < 0 ? -1 : 1;
    [i, j] = [(i + H) % H, (j + W) % W];
  }
  if (map < 0 || map >= (shape.length === 3 ? shape[0] : 1)) return null;
  return shape.length === 3 ? [map, i, j] : [i, j];
}
