// The state of the explorer as plain data, and how it is written into the address of the page.

import { read } from "./numbers.js";

export const MODES = ["walk", "all", "predict", "image"];
const CHOICES = ["order", "channel_pools", "spatial_pools", "ties", "mlp_bias", "spatial_norm", "reduction", "kernel"];
const ARRAYS = ["F", "W0", "b0", "W1", "b1", "W7", "gamma", "beta", "dF_out"];

// The state to begin with: the numbers and choices of an example, at its first step.
export function firstState(begin) {
  const { numbers, choices } = structuredClone({ numbers: begin.numbers, choices: begin.choices });
  return {
    numbers,
    choices,
    mode: "walk",
    at: "F",
    way: "forward",
    cell: null,
    lens: "from",
    deep: false,
    drawer: null,
    products: false,
    typed: {}, // what stands in fields that hold no number, by the cell's name
    answers: {}, // what was predicted, by the cell's name
    asked: [], // what stands in the answer box: {name, text}
    against: null, // what the example is compared with
    picture: 0,
    strength: 1,
  };
}

// Tell which arrays an example uses, with the names of a trace: the output's gradient has the output's name.
export function givenOf({ numbers, choices }) {
  const has = (attention) => choices.order.includes(attention) || choices.order === "parallel";
  const given = { F: numbers.F };
  if (has("channel")) {
    for (const name of choices.mlp_bias ? ["W0", "b0", "W1", "b1"] : ["W0", "W1"]) given[name] = numbers[name];
  }
  if (has("spatial")) {
    given.W7 = choices.spatial_pools.map((pool) => numbers.W7[halfOf(pool)]);
    if (choices.spatial_norm) Object.assign(given, { gamma: numbers.gamma, beta: numbers.beta });
  }
  given[outputGradient(choices)] = numbers.dF_out;
  return given;
}

// An example as it is calculated: all numbers, those in use under the names of a trace, and the choices.
export function exampleOf({ numbers, choices }) {
  return structuredClone({ numbers, given: givenOf({ numbers, choices }), choices });
}

// Which half of the kernel a pool's map meets.
function halfOf(pool) {
  return pool === "max" ? 1 : 0;
}

export function outputGradient({ order }) {
  return order === "channel" || order === "spatial" ? "dF'" : "dF''";
}

// Find the text that a cell of a trace was typed as: {name, index} in the state's numbers, or null.
export function typedPlace([name, index], choices) {
  if (name === outputGradient(choices)) return ["dF_out", index];
  if (name === "W7") return ["W7", [halfOf(choices.spatial_pools[index[0]]), ...index.slice(1)]];
  return ["F", "W0", "b0", "W1", "b1", "gamma", "beta"].includes(name) ? [name, index] : null;
}

export function deepMap(array, f) {
  return Array.isArray(array) ? array.map((part) => deepMap(part, f)) : f(array);
}

export function setIn(array, [first, ...rest], value) {
  if (first === undefined) return value;
  const copy = [...array];
  copy[first] = rest.length ? setIn(copy[first], rest, value) : value;
  return copy;
}

// Bring maps (C, H, W) to another size: what is cut off is lost, what is new is 0.
export function resized(F, [C, H, W]) {
  const entry = (c, i, j) => F[c]?.[i]?.[j] ?? "0";
  return [...Array(C).keys()].map((c) =>
    [...Array(H).keys()].map((i) => [...Array(W).keys()].map((j) => entry(c, i, j))),
  );
}

// --- the address ---

// Write what differs from the beginning: numbers as 1,0,1;2,1,0 with | between maps.
export function toAddress(state, first) {
  const out = new URLSearchParams();
  if (state.mode !== first.mode) out.set("mode", state.mode);
  if (state.at !== first.at) out.set("at", state.at);
  if (state.way !== first.way) out.set("way", state.way);
  if (state.cell) out.set("cell", [state.cell[0], ...state.cell[1].map((i) => i + 1)].join(","));
  for (const name of CHOICES) {
    const [now, before] = [String(state.choices[name]), String(first.choices[name])];
    if (now !== before) out.set(name, now);
  }
  for (const name of ARRAYS) {
    if (name === "W7" && state.choices.kernel !== "own") continue; // its name says it
    const [now, before] = [numbersText(state.numbers[name]), numbersText(first.numbers[name])];
    if (now !== before) out.set(name, now);
  }
  if (state.picture) out.set("picture", state.picture);
  return out.toString().replaceAll("%2C", ",").replaceAll("%3B", ";").replaceAll("%7C", "|").replaceAll("%2F", "/");
}

// Read the same. What cannot be used is left out, and named in `ignored`.
export function fromAddress(text, first, begin) {
  const given = new URLSearchParams(text);
  const state = structuredClone(first);
  const ignored = [];
  const use = (name, isGood, put) => {
    if (!given.has(name)) return;
    isGood(given.get(name)) ? put(given.get(name)) : ignored.push(name);
  };
  use(
    "mode",
    (x) => MODES.includes(x),
    (x) => (state.mode = x),
  );
  use(
    "at",
    (x) => /^[\w'-]{1,20}$/.test(x),
    (x) => (state.at = x),
  );
  use(
    "way",
    (x) => ["forward", "backward"].includes(x),
    (x) => (state.way = x),
  );
  use(
    "cell",
    (x) => /^[\w']{1,20}(,\d{1,2})*$/.test(x),
    (x) => (state.cell = cellFrom(x)),
  );
  use(
    "picture",
    (x) => /^\d{1,2}$/.test(x),
    (x) => (state.picture = Number(x)),
  );
  for (const [name, options] of Object.entries(begin.options)) {
    use(
      name,
      (x) => options.some((option) => String(option) === x),
      (x) => {
        state.choices[name] = options.find((option) => String(option) === x);
      },
    );
  }
  use(
    "reduction",
    (x) => /^[1-4]$/.test(x),
    (x) => (state.choices.reduction = Number(x)),
  );
  use(
    "kernel",
    (x) => Object.hasOwn(begin.kernels, x) || x === "own",
    (x) => {
      state.choices.kernel = x;
      state.numbers.W7 = structuredClone(begin.kernels[x] ?? first.numbers.W7);
    },
  );
  for (const name of ARRAYS) {
    use(
      name,
      (x) => arrayFrom(x, name) !== null,
      (x) => (state.numbers[name] = arrayFrom(x, name)),
    );
  }
  return { state, ignored: [...ignored, ...misfits(state, first, begin)] };
}

// Put back what does not fit the feature map; return its names.
function misfits(state, first, begin) {
  const { numbers } = state;
  const [C, H, W] = [numbers.F.length, numbers.F[0].length, numbers.F[0][0].length];
  const wrong = [];
  if (C > 4 || H > 5 || W > 5) {
    Object.assign(state.numbers, structuredClone(first.numbers));
    return ["F"];
  }
  if (!begin.mlps[C][state.choices.reduction]) state.choices.reduction = 1;
  const hidden = Math.floor(C / state.choices.reduction);
  const mlp = begin.mlps[C][state.choices.reduction];
  const shapes = { W0: [hidden, C], b0: [hidden], W1: [C, hidden], b1: [C], dF_out: [C, H, W], W7: [2, 7, 7] };
  for (const [name, shape] of Object.entries(shapes)) {
    if (String(shapeOf(numbers[name])) === String(shape)) continue;
    if (name === "dF_out") numbers.dF_out = oneHot([C, H, W]);
    else numbers[name] = structuredClone(mlp[name] ?? first.numbers[name]);
    if (String(shape) === String(shapeOf(first.numbers[name]))) wrong.push(name);
  }
  return wrong;
}

export function shapeOf(array) {
  return Array.isArray(array) ? [array.length, ...shapeOf(array[0])] : [];
}

export function oneHot([C, H, W], [c, i, j] = [0, 0, 0]) {
  const zeros = resized([], [C, H, W]);
  return setIn(zeros, [c, i, j], "1");
}

function cellFrom(text) {
  const [name, ...index] = text.split(",");
  return [name, index.map((i) => Number(i) - 1)];
}

function numbersText(array) {
  const marks = ["|", ";", ","].slice(3 - shapeOf(array).length);
  const join = (part, depth) =>
    Array.isArray(part) ? part.map((x) => join(x, depth + 1)).join(marks[depth]) : point(part);
  return join(array, 0);
}

function point(text) {
  return text.trim().replace(/[−–—]/g, "-").replace(",", "."); // a decimal comma would part two numbers
}

function arrayFrom(text, name) {
  const axes = { gamma: 0, beta: 0, b0: 1, b1: 1, W0: 2, W1: 2 }[name] ?? 3;
  const marks = ["|", ";", ","].slice(3 - axes);
  const split = (part, depth) => (depth < axes ? part.split(marks[depth]).map((x) => split(x, depth + 1)) : part);
  const array = split(text.slice(0, 10000), 0);
  const shape = shapeOf(array);
  const isFull = (part, depth) =>
    depth < axes
      ? Array.isArray(part) && part.length === shape[depth] && part.every((x) => isFull(x, depth + 1))
      : read(part) !== null;
  return isFull(array, 0) ? array : null;
}
