// Judging numbers: at once by the trace, and in a notebook by the checker, which knows more and has the last word.

import { read, toFloat } from "./numbers.js";
import { valueIn } from "./origin.js";
import { evaluate } from "./twin.js";

export const SAID = {
  right: "✓ right",
  "right, but cut off": "✓ right, but cut off: round the last digit",
  follows: "↳ consistent with your own numbers and rounding",
  wrong: "✗ wrong",
};
export const CUT = "right, but cut off";
const NOISE = 1e-9;
const LONGEST_QUOTE = 30; // letters

// A verdict as one word, for the style sheet.
export function kindOfVerdict(verdict) {
  return verdict === CUT ? "cut" : verdict;
}

// Quote what a person typed, but not all of it.
export function quoted(text) {
  const letters = [...text.trim()];
  return letters.length <= LONGEST_QUOTE ? letters.join("") : `${letters.slice(0, LONGEST_QUOTE).join("")}…`;
}

// Judge numbers, {name: text}. Returns {name: {verdict, mistake, sentence}}; where there is a checker, `later` is called when
// it has answered, and what it said has taken the place of this.
export function judged(explorer, answers, later) {
  const { mistakes } = explorer.begin;
  const found = {};
  for (const [name, verdict] of Object.entries(judge(answers, explorer.trace))) {
    const known = verdict === "wrong" && !explorer.isEdited() ? mistakeFor(name, answers[name], mistakes) : null;
    found[name] = { verdict, mistake: known?.[0], sentence: known?.[1] };
  }
  if (explorer.python && Object.keys(found).length) {
    explorer.python.check(answers, explorer.example, (said) => {
      for (const name of Object.keys(found)) if (said?.[name]?.verdict in SAID) found[name] = said[name];
      later();
    });
  }
  return found;
}

// Judge what was predicted; see `explorer.verdictOn`.
export function judgePredictions(explorer) {
  const filled = Object.fromEntries(Object.entries(explorer.state.answers).filter(([, text]) => read(text)));
  const mine = judged(explorer, filled, () => mine === explorer.predicted && explorer.draw());
  explorer.predicted = mine;
}

// Find a cell by the name that a person typed: M_c[1], Mc(1), F''[1,2,3]. Returns {cell} or {problem}.
export function findCell(text, { steps }) {
  const tidy = text
    .trim()
    .replace(/[′’‘´`]/g, "'")
    .replace(/[″”"]/g, "''")
    .replace(/\(/g, "[")
    .replace(/\)/g, "]");
  const found = /^([^[\]]*?)\s*(?:\[([\d\s,]+)\])?$/.exec(tidy);
  const squeezed = (name) => name.replace(/[\s_]/g, "");
  const typed = found?.[1].replace(/^F'_(avg|max)$/, "Fs_$1") ?? tidy;
  const name =
    [...steps.keys()].find((step) => step === typed) ??
    [...steps.keys()].find((step) => squeezed(step) === squeezed(typed));
  if (!found || !name) return { problem: `there is no step ${quoted(text)} in this example` };
  const { shape } = steps.get(name);
  const index = (found[2]?.match(/\d+/g) ?? []).map((i) => Number(i) - 1);
  const size = `${name} has ${shape.join("×")} entries`;
  if (index.length !== shape.length)
    return { problem: `${size}: say which one, with ${shape.length} ${shape.length === 1 ? "index" : "indices"}` };
  if (index.some((i, axis) => i < 0 || i >= shape[axis])) return { problem: `${size}, and indices start at 1` };
  return { cell: [name, index] };
}

// Judge numbers, {name: text}, by the trace alone: right, cut off, follows from other numbers given, or wrong.
export function judge(answers, trace) {
  const valueOf = valueIn(trace.values);
  const written = new Map();
  for (const [name, text] of Object.entries(answers)) {
    const [number, place] = [read(text), findCell(name, trace)];
    if (number && place.cell) written.set(String(place.cell), { ...number, cell: place.cell, name });
  }
  const usual = usualHalf([...written.values()]);
  const verdicts = {};
  for (const { value, half, cell, name } of written.values()) {
    const number = toFloat(value);
    const right = toFloat(valueOf(cell));
    const fits = (x) => touches(toFloat(x), number, half);
    if (fits(right)) verdicts[name] = "right";
    else if (follows(cell, fits, [half, usual], written, trace)) verdicts[name] = "follows";
    else verdicts[name] = isCutOff(right, number, half) ? CUT : "wrong";
  }
  return verdicts;
}

function touches(x, number, half) {
  return Math.abs(x - number) <= half + NOISE * (1 + Math.abs(number));
}

// Tell whether a number is what is left of x when its further digits are dropped.
function isCutOff(x, number, half) {
  if (!half) return false;
  return touches(x, number + (number < 0 ? -half : half), half) || (number === 0 && touches(x, 0, 2 * half));
}

// Half a unit of the last place that most numbers are written to.
function usualHalf(numbers) {
  const halves = numbers.map(({ half }) => half).filter(Boolean);
  const count = (half) => halves.filter((other) => other === half).length;
  return halves.reduce((best, half) => (count(half) > count(best) ? half : best), halves[0] ?? 0);
}

// Tell whether a number is what comes out of those that the student wrote for the steps before, or of rounding on the way: to
// as many places as the answer has, or as roughly as most answers are written.
function follows(cell, fits, [half, usual], written, trace) {
  const units = [0, ...(half ? [2 * half] : []), ...(usual > half ? [2 * usual] : [])];
  return units.some((unit) => fits(carriedOn(cell, unit, written, trace)));
}

function carriedOn(cell, unit, written, { steps, values }) {
  const known = new Map();
  const rounded = (x) => (unit ? Math.sign(x) * Math.floor(Math.abs(x) / unit + 0.5 + NOISE) * unit : x);
  const valueOf = (at) => {
    const key = String(at);
    if (at !== cell && written.has(key)) return toFloat(written.get(key).value);
    const { rule } = steps.get(at[0]);
    if (!rule) return toFloat(valueIn(values)(at));
    if (!known.has(key)) known.set(key, rounded(toFloat(evaluate(rule(at[1]), valueOf))));
    return known.get(key);
  };
  return valueOf(cell);
}

// The mistake that gives a wrong number, from what Python computed for the example before it was changed.
export function mistakeFor(name, text, mistakes) {
  const number = read(text);
  if (!number || !mistakes) return null;
  const near = (wrong) => Math.abs(wrong - toFloat(number.value)) <= number.half + NOISE * (1 + Math.abs(wrong));
  const found = mistakes.values[name]?.find(([wrong]) => near(wrong));
  return found ? mistakes.said[found[1]] : null; // [name, sentence]
}
