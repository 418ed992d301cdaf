// Who computes: the browser at once, and in a notebook Python as well, whose word counts.

import { morph, h } from "./dom.js";
import { read, toFloat, write } from "./numbers.js";
import { valueIn } from "./origin.js";
import { allIndices } from "./rules.js";
import { deepMap } from "./state.js";
import { calculate } from "./twin.js";
import { cellName } from "./words.js";

const NEAR = 1e-9; // next to 1 or to the number: two ways to compute the same differ by less
const WORDS = {
  asked: ["NumPy …", "Python has been asked and has not answered yet. So far, these numbers are the browser's own."],
  confirmed: ["NumPy ✓", "Python has computed this example, too: every number here is the one that NumPy gives."],
  problem: ["NumPy ✗", "Python could not confirm these numbers."],
};

// Compute an example here and now; its numbers are texts.
export function computeHere({ given, choices }) {
  const numbers = Object.entries(given).map(([name, array]) => [name, deepMap(array, (text) => read(text).value)]);
  return calculate(Object.fromEntries(numbers), choices);
}

// Have Python compute the example that is on the screen. Its numbers take the place of the browser's; where they differ, that
// is a fault of this package, and it is said.
export function askForConfirmation(explorer, example) {
  if (!explorer.python) return;
  const { trace } = explorer;
  explorer.word = "asked";
  explorer.python.calculate(example, (values, problem) => {
    if (trace !== explorer.trace) return;
    explorer.problem = problem ?? differenceIn(trace, values);
    explorer.word = explorer.problem ? "problem" : "confirmed";
    if (values) trace.values = values;
    if (explorer.problem) explorer.draw();
    else tell(explorer);
  });
}

// Likewise for an example that is only compared with.
export function askAside(explorer, example, trace) {
  explorer.python?.calculate(
    example,
    (values, problem) => {
      explorer.problem = problem ?? differenceIn(trace, values) ?? explorer.problem;
      if (values) trace.values = values;
      if (explorer.problem) explorer.draw();
    },
    { aside: true },
  );
}

// Say where two calculations differ by more than rounding; null where they agree.
export function differenceIn({ steps, values }, others) {
  const [mine, theirs] = [valueIn(values), valueIn(others)];
  for (const { name, shape } of steps.values()) {
    for (const index of allIndices(shape)) {
      const [a, b] = [mine, theirs].map((valueOf) => valueOf([name, index]));
      if (b !== undefined && isNear(toFloat(a), toFloat(b))) continue;
      const [there, here] = [write(b) || "missing", write(a)];
      return `Python and the browser disagree: ${cellName([name, index])} is ${there} in Python, and ${here} here. Please report it.`;
    }
  }
  return null;
}

function isNear(a, b) {
  return Object.is(a, b) || Math.abs(a - b) <= NEAR * Math.max(1, Math.abs(b));
}

export function wordView({ python, word }) {
  if (!python) return null;
  const [said, title] = WORDS[word];
  return h("span", { class: `word ${word}`, "data-key": "word", title }, said);
}

// Nothing but the word has changed.
function tell(explorer) {
  const shown = explorer.root.querySelector(".word");
  if (shown) morph(shown, wordView(explorer));
}
