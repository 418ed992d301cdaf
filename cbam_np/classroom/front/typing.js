// Typing into cells: what stands there, what it does, and what stood there before.

import { read, write } from "./numbers.js";
import { keyOf, valueIn } from "./origin.js";
import { setIn, typedPlace } from "./state.js";

export function textOf(explorer, cell) {
  const typed = explorer.state.typed[keyOf(cell)];
  if (typed !== undefined) return typed;
  const [name, index] = typedPlace(cell, explorer.state.choices);
  return index.reduce((array, i) => array[i], explorer.state.numbers[name]);
}

export function startTyping(explorer, cell) {
  if (explorer.editing === keyOf(cell)) return;
  explorer.editing = keyOf(cell);
  explorer.baseline = explorer.trace; // what is marked as changed, has changed since then
  explorer.state.cell = cell;
  explorer.nudged = null;
  explorer.draw();
}

export function stopTyping(explorer, cell) {
  if (explorer.editing !== keyOf(cell)) return;
  explorer.editing = null;
  explorer.draw();
}

export function typeInto(explorer, cell, text) {
  const { state } = explorer;
  if (read(text) === null) {
    state.typed[keyOf(cell)] = text;
    return explorer.draw();
  }
  delete state.typed[keyOf(cell)];
  const [name, index] = typedPlace(cell, state.choices);
  explorer.before = explorer.baseline ?? explorer.trace;
  state.numbers[name] = setIn(state.numbers[name], index, text);
  if (name === "W7") state.choices.kernel = "own";
  explorer.recalculate();
}

// What stood in a cell before the last change, or null where it is the same.
export function oldText(explorer, cell) {
  const old = explorer.before && explorer.before.steps.has(cell[0]) ? valueIn(explorer.before.values)(cell) : undefined;
  if (old === undefined || Array.isArray(old)) return null;
  const [was, is] = [write(old), write(valueIn(explorer.trace.values)(cell))];
  return was === is ? null : was;
}
