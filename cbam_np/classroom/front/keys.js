// The keyboard: arrows move among the cells of an array, PageDown and PageUp turn the steps.

import { moved } from "./cells.js";
import { cellOf } from "./formula.js";
import { turnDrawer } from "./drawers.js";
import { keyOf } from "./origin.js";

export function press(explorer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && explorer.state.drawer) turnDrawer(explorer, null);
  else if (turnSteps(explorer, event)) event.preventDefault();
  else if (moveAmongCells(explorer, event)) event.preventDefault();
}

// A presenter's remote control sends PageDown and PageUp, too.
function turnSteps(explorer, { target, key }) {
  const { mode } = explorer.state;
  if (mode === "image" || mode === "all") return false;
  const isDot = target.classList.contains("dot");
  const turn = { PageDown: 1, PageUp: -1, ArrowRight: isDot ? 1 : 0, ArrowLeft: isDot ? -1 : 0 }[key];
  if (!turn) return false;
  explorer.go(turn);
  if (isDot) explorer.root.querySelector(".dot[aria-current]").focus();
  return true;
}

function moveAmongCells(explorer, { target, key }) {
  if (!target.dataset?.cell) return false;
  const cell = cellOf(target.dataset.cell);
  const isField = target.nodeName === "INPUT";
  if (isField && movesCaret(target, key)) return false;
  const arrow = key === "Enter" && isField ? "ArrowRight" : key;
  const next = moved(cell[1], explorer.trace.steps.get(cell[0]).shape, arrow);
  if (!next) return false;
  const place = target.dataset.key.split(":")[0];
  explorer.set({ cell: [cell[0], next] });
  const field = explorer.root.querySelector(`[data-key="${CSS.escape(`${place}:${keyOf([cell[0], next])}`)}"]`);
  field?.focus();
  field?.select?.();
  return true;
}

// In a field, the arrows move the caret until it is at an end.
function movesCaret({ selectionStart, selectionEnd, value }, key) {
  return (key === "ArrowLeft" && selectionEnd > 0) || (key === "ArrowRight" && selectionStart < value.length);
}
