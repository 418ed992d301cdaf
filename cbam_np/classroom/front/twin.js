// CBAM computed in the browser: the rules of steps.js, evaluated in their order.

import { ONE, ZERO, isEqual, isGreater, isZero, over, plus, times, toFloat } from "./numbers.js";
import { stepsOf } from "./steps.js";

// Compute every step. `given` maps names to nested arrays of numbers: F, the weights, and the output's gradient.
// Returns {steps, values}: `values` maps every step's name to nested arrays.
export function calculate(given, choices) {
  const steps = stepsOf(
    sizesOf(given),
    choices,
    Object.keys(given).some((name) => name.startsWith("dF")),
  );
  const values = {};
  const valueOf = ([name, index]) => index.reduce((array, i) => array[i], values[name]);
  for (const { name, shape, rule } of steps.values()) {
    values[name] = rule ? filled(shape, (index) => evaluate(rule(index), valueOf)) : given[name];
  }
  return { steps, values };
}

export function sizesOf({ F, W0, W7 }) {
  return { C: F.length, H: F[0].length, W: F[0][0].length, hidden: W0?.length ?? 0, k: W7?.[0].length ?? 0 };
}

// Make nested arrays of a shape, each entry given by f(index).
export function filled(shape, f) {
  const build = (index) =>
    index.length === shape.length
      ? f(index)
      : Array.from({ length: shape[index.length] }, (_, i) => build([...index, i]));
  return build([]);
}

// Compute one entry by its rule; valueOf gives the numbers of the cells that it is computed from.
export function evaluate(rule, valueOf) {
  switch (rule.how) {
    case "sum":
      return over(
        rule.terms.reduce((total, term) => plus(total, product(term, valueOf)), ZERO),
        rule.over,
      );
    case "max":
      return rule.cells.map(valueOf).reduce((a, b) => (isGreater(b, a) ? b : a));
    case "relu": {
      const h = valueOf(rule.cell);
      return isGreater(h, ZERO) ? h : ZERO;
    }
    case "sigmoid":
      return sigmoid(toFloat(valueOf(rule.cell)));
    case "relu slope": {
      const [da, h] = rule.cells.map(valueOf);
      return isGreater(h, ZERO) ? da : ZERO;
    }
    case "sigmoid slope": {
      const [dM, M] = rule.cells.map((cell) => toFloat(valueOf(cell)));
      return dM * M * (1 - M);
    }
    case "formula":
      return rule.compute(...rule.cells.map((cell) => toFloat(valueOf(cell))));
    case "winner":
      return times(valueOf(rule.cell), shareOf(rule, valueOf));
    default:
      throw new Error(`no such rule: ${rule.how}`);
  }
}

function product(term, valueOf) {
  let result = ONE;
  for (const cell of term) {
    const factor = valueOf(cell);
    if (isZero(factor)) return ZERO;
    result = result === ONE ? factor : times(result, factor);
  }
  return result;
}

// What part of a maximum's gradient goes to `mine`: all to the first of several equal ones, or even shares.
export function shareOf({ among, mine, ties }, valueOf) {
  const numbers = among.map(valueOf);
  const largest = numbers.reduce((a, b) => (isGreater(b, a) ? b : a));
  const winners = numbers.flatMap((x, at) => (isEqual(x, largest) ? [at] : []));
  if (ties === "first") return winners[0] === mine ? ONE : ZERO;
  return winners.includes(mine) ? over(ONE, winners.length) : ZERO;
}

export function sigmoid(z) {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}
