// Judging numbers: at once by the trace, and in a notebook by the checker, which knows more and has the last word.

import { Bounds, NOISE, isCutOff, touches } from "./bounds.js";
import { read, toFloat } from "./numbers.js";
import { valueIn } from "./origin.js";

export const SAID = {
  right: "✓ right",
  "right, but cut off": "✓ right, but cut off: round the last digit",
  follows: "↳ consistent with your own numbers and rounding",
  wrong: "✗ wrong",
};
export const CUT = "right, but cut off";
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
  const written = writtenIn(answers, trace);
  const numbers = [...written.values()];
  const following = boundsBy(trace, written);
  const verdicts = {};
  for (const { cell, number, half, name } of numbers) {
    const allows = (bounds) => touches(bounds.allowed(cell), number, half);
    const right = toFloat(valueIn(trace.values)(cell));
    if (touches([right, right], number, half)) verdicts[name] = "right";
    else verdicts[name] = allows(following(0)) || allows(following(half)) ? "follows" : "wrong";
  }
  const wrong = numbers.filter(({ name }) => verdicts[name] === "wrong");
  const believed = new Map([...written].filter(([, each]) => !wrong.includes(each)));
  const ways = { following, right: boundsBy(trace, believed), fromNothing: boundsBy(trace, new Map()) };
  const usual = usualHalf(numbers);
  for (const each of wrong) verdicts[each.name] = judgedAgain(each, ways, usual, trace);
  return verdicts;
}

function writtenIn(answers, trace) {
  const written = new Map();
  for (const [name, text] of Object.entries(answers)) {
    const [number, place] = [read(text), findCell(name, trace)];
    if (number && place.cell)
      written.set(String(place.cell), { number: toFloat(number.value), half: number.half, cell: place.cell, name });
  }
  return written;
}

// Return a function of how steps were rounded on the way, which makes the bounds for each only once.
function boundsBy(trace, written) {
  const made = new Map();
  return (rounding) => {
    if (!made.has(rounding)) made.set(rounding, new Bounds(trace, written, rounding));
    return made.get(rounding);
  };
}

// Judge what has been called wrong by what follows without the wrong numbers, or from none; then as roughly as most
// numbers are written; then for somebody who cuts off.
function judgedAgain({ cell, number, half }, { following, right, fromNothing }, usual, trace) {
  const roughly = usual > half ? [following(usual), right(usual)] : [];
  const ways = [right(0), right(half), fromNothing(half), ...roughly];
  if (ways.some((bounds) => touches(bounds.allowed(cell), number, half))) return "follows";
  const value = toFloat(valueIn(trace.values)(cell));
  const intervals = [[value, value], following(0).allowed(cell), right(0).allowed(cell)];
  return intervals.some((interval) => isCutOff(interval, number, half)) ? CUT : "wrong";
}

// Half a unit of the last place that most numbers are written to.
function usualHalf(numbers) {
  const halves = numbers.map(({ half }) => half).filter(Boolean);
  const count = (half) => halves.filter((other) => other === half).length;
  return halves.reduce((best, half) => (count(half) > count(best) ? half : best), halves[0] ?? 0);
}

// The mistake that gives a wrong number, from what Python computed for the example before it was changed.
export function mistakeFor(name, text, mistakes) {
  const number = read(text);
  if (!number || !mistakes) return null;
  const near = (wrong) => Math.abs(wrong - toFloat(number.value)) <= number.half + NOISE * (1 + Math.abs(wrong));
  const found = mistakes.values[name]?.find(([wrong]) => near(wrong));
  return found ? mistakes.said[found[1]] : null; // [name, sentence]
}
