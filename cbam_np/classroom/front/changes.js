// What the menus and buttons change: choices, sizes, and the gradient that the way back begins with.

import { oneHot, resized, shapeOf } from "./state.js";

export function pick(explorer, name, value) {
  const { state, begin } = explorer;
  explorer.before = explorer.trace;
  if (name === "dialect") Object.assign(state.choices, structuredClone(begin.dialects[value].choices));
  else Object.assign(state, changed(explorer, name, value));
  state.typed = {};
  explorer.recalculate();
}

// The numbers and choices with one choice changed.
export function changed(explorer, name, value) {
  const { begin } = explorer;
  const { numbers, choices } = structuredClone({ numbers: explorer.state.numbers, choices: explorer.state.choices });
  choices[name] =
    {
      reduction: Number,
      mlp_bias: (x) => x === "true",
      spatial_norm: (x) => x === "true",
      channel_pools: (x) => x.split(","),
      spatial_pools: (x) => x.split(","),
    }[name]?.(value) ?? value;
  if (name === "reduction") Object.assign(numbers, structuredClone(begin.mlps[numbers.F.length][value]));
  if (name === "kernel") numbers.W7 = structuredClone(begin.kernels[value]);
  return { numbers, choices };
}

export function resize(explorer, axis, size) {
  const { state, begin } = explorer;
  const shape = shapeOf(state.numbers.F);
  shape[axis] = size;
  state.numbers.F = resized(state.numbers.F, shape);
  state.numbers.dF_out = isLectureSize(explorer) ? explorer.first.numbers.dF_out : oneHot(shape);
  if (axis === 0) {
    state.choices.reduction = 1;
    Object.assign(state.numbers, structuredClone(begin.mlps[size][1]));
  }
  state.typed = {};
  state.answers = {};
  explorer.before = null;
  explorer.recalculate();
}

export function beginAgain(explorer) {
  const { mode, drawer } = explorer.state;
  explorer.state = { ...structuredClone(explorer.first), mode, drawer };
  explorer.before = null;
  explorer.recalculate({ begins: true });
}

export function isLectureSize(explorer) {
  return String(shapeOf(explorer.state.numbers.F)) === String(shapeOf(explorer.first.numbers.F));
}

export function pullOneCell(explorer) {
  const { cell, numbers } = explorer.state;
  const at = cell && cell[1].length === 3 ? cell[1] : [0, 0, 0];
  pull(explorer, oneHot(shapeOf(numbers.F), at));
}

export function pullAsBefore(explorer) {
  pull(explorer, structuredClone(explorer.first.numbers.dF_out));
}

function pull(explorer, dF_out) {
  explorer.before = explorer.trace;
  explorer.state.numbers.dF_out = dF_out;
  explorer.state.typed = {};
  explorer.recalculate();
}
