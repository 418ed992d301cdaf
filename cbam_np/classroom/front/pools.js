// How a pool makes one number of many, and how its gradient comes back to each of them.

import { sum } from "./rules.js";

const TINY = Number.MIN_VALUE;
const add = (numbers) => numbers.reduce((a, b) => a + b, 0);
const largestOf = (numbers) => numbers.reduce((a, b) => Math.max(a, b));

// The rule of a pool over cells: "avg" and "max" as in the lecture; "lp", "lse" and "mixed" are those of other code.
export function poolForward(pool, cells) {
  switch (pool) {
    case "avg":
      return sum(
        cells.map((cell) => [cell]),
        cells.length,
      );
    case "max":
      return { how: "max", cells };
    case "lp": // √Σx²
      return {
        how: "formula",
        cells,
        compute: (...x) => Math.sqrt(add(x.map((number) => number * number))),
        spell: (...x) => `√(${x.map((text) => `${text}²`).join(" + ")})`,
      };
    case "lse": // log Σ exp x, the largest taken out first so that nothing grows too large
      return {
        how: "formula",
        cells,
        compute: (...x) => largestOf(x) + Math.log(add(x.map((number) => Math.exp(number - largestOf(x))))),
        spell: (...x) => `log(${x.map((text) => `e^${text}`).join(" + ")})`,
      };
    default: // mixed: half the average and half the maximum
      return {
        how: "formula",
        cells,
        compute: (...x) => (add(x) / x.length + largestOf(x)) / 2,
        spell: (...x) => `((${x.join(" + ")}) / ${x.length} + max(${x.join(", ")})) / 2`,
      };
  }
}

// The rule of what comes back from `pooled` to the cell number `mine` of those that were pooled.
export function poolBackward(pool, [name, index], among, mine, ties) {
  const d = [`d${name}`, index];
  switch (pool) {
    case "avg":
      return sum([[d]], among.length);
    case "max":
      return { how: "winner", cell: d, among, mine, ties };
    case "lp": // each entry moves the norm by x / norm
      return {
        how: "formula",
        cells: [d, among[mine], [name, index]],
        compute: (dout, x, norm) => dout * Math.max(-1, Math.min(1, x / Math.max(norm, TINY))),
        spell: (dout, x, norm) => `${dout} · ${x} / ${norm}`,
      };
    case "lse": // each entry moves the result by its share of the softmax
      return {
        how: "formula",
        cells: [d, among[mine], [name, index]],
        compute: (dout, x, total) => dout * Math.exp(x - total),
        spell: (dout, x, total) => `${dout} · e^(${x} − ${total})`,
      };
    default:
      return {
        how: "formula",
        cells: [d, ...among],
        compute: (dout, ...x) => (dout / x.length + dout * shareOfMaximum(x, mine, ties)) / 2,
        spell: (dout, ...x) =>
          `(${dout} / ${x.length} + (${dout} where the maximum of ${x.join(", ")} is, else 0)) / 2`,
      };
  }
}

function shareOfMaximum(x, mine, ties) {
  const winners = x.flatMap((number, at) => (number === largestOf(x) ? [at] : []));
  if (ties === "first") return winners[0] === mine ? 1 : 0;
  return winners.includes(mine) ? 1 / winners.length : 0;
}
