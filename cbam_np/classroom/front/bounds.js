// What follows from the numbers that a person wrote: between which bounds a cell can lie, as the checker in Python has it.

import { toFloat } from "./numbers.js";
import { valueIn } from "./origin.js";
import { evaluate, shareOf, sigmoid } from "./twin.js";

export const NOISE = 1e-9; // of floating point, next to 1 or to the number
const UNITS = 3; // of the last place: as far as rounding on the way takes an answer off

// Tell where a number, give or take half a unit of its last place, meets an interval.
export function touches([low, high], number, half) {
  const slack = half + NOISE * (1 + Math.abs(number));
  return number - slack <= high && number + slack >= low;
}

// Tell whether a number is what is left of one in the interval when its further digits are dropped.
export function isCutOff(interval, number, half) {
  if (!half || touches(interval, number, half)) return false;
  return touches(interval, number + (number < 0 ? -half : half), half) || (number === 0 && touches(interval, 0, 2 * half));
}

export class Bounds {
  // `written` maps cells, as text, to {number, half}. Steps may have been rounded on the way to units of 2 · `rounding`.
  constructor(trace, written, rounding = 0) {
    this.trace = trace;
    this.written = written;
    this.rounding = rounding;
    this.exactly = rounding ? new Bounds(trace, written) : null;
    this.found = { allowed: new Map(), carried: new Map() };
  }

  // The bounds of a cell as it follows from its operands, whatever was written for the cell itself.
  allowed(cell) {
    return this.remembered("allowed", cell, () => {
      const { rule } = this.trace.steps.get(cell[0]);
      if (!rule) return pointAt(toFloat(valueIn(this.trace.values)(cell)));
      const interval = intervalOf(rule(cell[1]), (operand) => this.carried(operand));
      return this.rounding ? this.trimmed(cell, interval) : interval;
    });
  }

  // The bounds of a cell as later steps see it: what was written comes first.
  carried(cell) {
    return this.remembered("carried", cell, () => {
      const isGiven = !this.trace.steps.get(cell[0]).rule;
      const interval = this.allowed(cell);
      const own = this.written.get(String(cell));
      if (!own) return isGiven ? interval : this.widened(interval);
      const { number, half } = own;
      const meets = touches(interval, number, half) || isCutOff(interval, number, half);
      const reach = isCutOff(interval, number, half) ? 2 * half : half;
      const seen = meets ? meetingOf(interval, [number - reach, number + reach]) : [number - half, number + half];
      const used = hullOf(seen, pointAt(number));
      return half <= this.rounding ? hullOf(used, this.widened(pointAt(number))) : used;
    });
  }

  remembered(kind, cell, find) {
    const key = String(cell);
    if (!this.found[kind].has(key)) this.found[kind].set(key, find());
    return this.found[kind].get(key);
  }

  widened([low, high]) {
    if (!this.rounding) return [low, high];
    const rounded = (x) =>
      Math.sign(x) * Math.floor(Math.abs(x) / (2 * this.rounding) + 0.5 + NOISE) * 2 * this.rounding;
    return [Math.min(low, rounded(low)), Math.max(high, rounded(high))];
  }

  // Worst cases do not all come together: stay near the bounds without rounding.
  trimmed(cell, [low, high]) {
    const [least, most] = this.exactly.allowed(cell);
    const reach = 2 * UNITS * this.rounding;
    if (low >= least - reach && high <= most + reach) return [low, high];
    const further = reach * Math.max(1, this.gain(cell));
    return [Math.max(low, least - further), Math.min(high, most + further)];
  }

  // By how many units a cell moves when all that it is computed from move by one.
  gain(cell) {
    const moved = (operand) => {
      const [low, high] = this.carried(operand);
      const reach = this.trace.steps.get(operand[0]).rule ? this.rounding : 0;
      return [(low + high) / 2 - reach, (low + high) / 2 + reach];
    };
    const [low, high] = intervalOf(this.trace.steps.get(cell[0]).rule(cell[1]), moved);
    return (high - low) / (2 * this.rounding);
  }
}

// --- intervals through the rules of steps.js ---

function intervalOf(rule, boundsOf) {
  switch (rule.how) {
    case "sum":
      return sumOf(rule.terms.map((term) => productOf(term.map(boundsOf)))).map((end) => end / rule.over);
    case "max":
      return [0, 1].map((end) => Math.max(...rule.cells.map((cell) => boundsOf(cell)[end])));
    case "relu":
      return boundsOf(rule.cell).map((end) => Math.max(0, end));
    case "sigmoid":
      return boundsOf(rule.cell).map(sigmoid);
    case "relu slope": {
      const [da, [low, high]] = rule.cells.map(boundsOf);
      return shared(da, low > 0 ? [1, 1] : high > 0 ? [0, 1] : [0, 0]);
    }
    case "sigmoid slope": {
      const [dM, [low, high]] = rule.cells.map(boundsOf);
      const slopes = [low, high, ...(low < 0.5 && high > 0.5 ? [0.5] : [])].map((M) => M * (1 - M));
      return shared(dM, [Math.min(...slopes), Math.max(...slopes)]);
    }
    case "winner":
      return shared(boundsOf(rule.cell), shareBounds(rule, boundsOf));
    default:
      return nearTheMiddle(rule, boundsOf);
  }
}

// What part of a maximum's gradient a cell may get: where numbers may be equal or not, all parts are possible.
function shareBounds(rule, boundsOf) {
  const intervals = rule.among.map(boundsOf);
  if (intervals.every(isPoint)) return pointAt(toFloat(shareOf({ ...rule, among: intervals }, ([low]) => low)));
  const others = intervals.filter((_, at) => at !== rule.mine);
  const [low, high] = intervals[rule.mine];
  if (others.every(([, most]) => most < low)) return [1, 1];
  return others.some(([least]) => least > high) ? [0, 0] : [0, 1];
}

// Any other rule: its value in the middle, and how far each operand moves it.
function nearTheMiddle(rule, boundsOf) {
  const intervals = rule.cells.map(boundsOf);
  const middles = intervals.map(([low, high]) => (low + high) / 2);
  const valueAt = (numbers) => toFloat(evaluate({ ...rule, cells: numbers }, (number) => number));
  const middle = valueAt(middles);
  const moved = (at, end) => valueAt(middles.map((other, i) => (i === at ? end : other))) - middle;
  const moves = intervals.map((interval, at) => (isPoint(interval) ? [0] : interval.map((end) => moved(at, end))));
  return [
    moves.reduce((sum, move) => sum + Math.min(0, ...move), middle),
    moves.reduce((sum, move) => sum + Math.max(0, ...move), middle),
  ];
}

function productOf(intervals) {
  const middles = intervals.map(([low, high]) => (low + high) / 2);
  const multiply = (numbers) => numbers.reduce((a, b) => a * b, 1);
  const reach =
    multiply(intervals.map(([low, high], at) => Math.abs(middles[at]) + (high - low) / 2)) -
    multiply(middles.map(Math.abs));
  return [multiply(middles) - reach, multiply(middles) + reach];
}

function sumOf(intervals) {
  return [0, 1].map((end) => intervals.reduce((sum, interval) => sum + interval[end], 0));
}

function shared(interval, parts) {
  const corners = interval.flatMap((end) => parts.map((part) => end * part));
  return [Math.min(...corners), Math.max(...corners)];
}

function pointAt(x) {
  return [x, x];
}

function isPoint([low, high]) {
  return low === high;
}

function hullOf([a, b], [c, d]) {
  return [Math.min(a, c), Math.max(b, d)];
}

function meetingOf([a, b], [c, d]) {
  return [Math.max(a, c), Math.min(b, d)];
}
