// Is mine right? Answers are judged again at every change, of the answers and of the example.

import { h } from "./dom.js";
import { read, toFloat } from "./numbers.js";
import { valueIn } from "./origin.js";
import { evaluate } from "./twin.js";
import { cellName } from "./words.js";

export const SAID = {
  right: "✓ right",
  "right, but cut off": "✓ right, but cut off: round the last digit",
  follows: "↳ consistent with your own numbers and rounding",
  wrong: "✗ wrong",
};
const NOISE = 1e-9;

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
  if (!found || !name) return { problem: `there is no step ${text.trim()} in this example` };
  const { shape } = steps.get(name);
  const index = (found[2]?.match(/\d+/g) ?? []).map((i) => Number(i) - 1);
  const size = `${name} has ${shape.join("×")} entries`;
  if (index.length !== shape.length)
    return { problem: `${size}: say which one, with ${shape.length} ${shape.length === 1 ? "index" : "indices"}` };
  if (index.some((i, axis) => i < 0 || i >= shape[axis])) return { problem: `${size}, and indices start at 1` };
  return { cell: [name, index] };
}

// Judge numbers, {name: text}, by the trace alone: right, follows from other numbers given, or wrong.
export function judge(answers, trace) {
  const valueOf = valueIn(trace.values);
  const written = new Map();
  for (const [name, text] of Object.entries(answers)) {
    const [number, place] = [read(text), findCell(name, trace)];
    if (number && place.cell) written.set(String(place.cell), { ...number, cell: place.cell, name });
  }
  const verdicts = {};
  for (const { value, half, cell, name } of written.values()) {
    const fits = (x) => Math.abs(toFloat(x) - toFloat(value)) <= half + NOISE * (1 + Math.abs(toFloat(value)));
    verdicts[name] = fits(valueOf(cell)) ? "right" : follows(cell, fits, half, written, trace) ? "follows" : "wrong";
  }
  return verdicts;
}

// Tell whether a number is what comes out of those that the student wrote for the steps before, or of rounding on the way:
// to as many places as the answer has, or one less.
function follows(cell, fits, half, written, trace) {
  const units = half ? [0, 2 * half, 20 * half] : [0];
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

// Judge what stands in the answer box: for each row {verdict, head, sentence}, or null where there is nothing to say.
export function judgeBox(explorer) {
  const { asked } = explorer.state;
  const rows = asked.map(({ name, text }) => readRow(name, text, explorer.trace));
  const answers = Object.fromEntries(rows.flatMap((row) => (row?.name ? [[row.name, row.text]] : [])));
  const verdicts = judge(answers, explorer.trace);
  for (const row of rows) {
    if (!row?.name) continue;
    const found =
      verdicts[row.name] === "wrong" && !explorer.isEdited()
        ? mistakeFor(row.name, row.text, explorer.begin.mistakes)
        : null;
    say(row, verdicts[row.name], found?.[0], found?.[1]);
  }
  if (explorer.calculator.check && Object.keys(answers).length) askKernel(explorer, rows, answers);
  return rows;
}

function readRow(name, text, trace) {
  if (!name.trim()) return null;
  const { cell, problem } = findCell(name, trace);
  if (problem) return { verdict: "unread", head: problem };
  if (!text.trim()) return null;
  if (!read(text))
    return { verdict: "unread", head: `“${text.trim()}” is not a number: write a decimal or a fraction` };
  return { name: cellName(cell), text };
}

function say(row, verdict, mistake, sentence) {
  Object.assign(row, { verdict, sentence, head: `${SAID[verdict]}${mistake ? `: ${mistake}` : ""}` });
}

function askKernel(explorer, rows, answers) {
  explorer.calculator.check(answers, explorer.example, (said) => {
    for (const row of rows) {
      const { verdict, mistake, sentence } = said?.[row?.name] ?? {};
      if (verdict in SAID) say(row, verdict, mistake, sentence);
    }
    if (explorer.drawn) explorer.draw();
  });
}

export function answersView(explorer) {
  const { asked } = explorer.state;
  const rows = [...asked, { name: "", text: "" }];
  return h(
    "form",
    { class: "answers", onsubmit: (event) => (event.preventDefault(), explorer.judgeAnswers()) },
    h(
      "p",
      {},
      "Write a step and your value, such as ",
      h("code", {}, "F'[2,1,3]"),
      " and a number. Every change is judged.",
    ),
    h(
      "datalist",
      { id: `${explorer.id}-names` },
      explorer.cellNames().map((name) => h("option", { value: name })),
    ),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "step"), h("th", { scope: "col" }, "my value"))),
      h(
        "tbody",
        {},
        rows.map((row, at) => answerRow(explorer, row, at)),
      ),
    ),
    h("button", { class: "plain wide" }, "Check"),
  );
}

function answerRow(explorer, { name, text }, at) {
  const field = (kind, value, extra) =>
    h("input", {
      type: "text",
      value,
      "data-key": `answer:${kind}:${at}`,
      "aria-label": `${kind} ${at + 1}`,
      autocomplete: "off",
      spellcheck: "false",
      oninput: (event) => explorer.answer(at, { [kind]: event.target.value }),
      ...extra,
    });
  const said = explorer.verdictText(at);
  return [
    h(
      "tr",
      {},
      h("td", {}, field("name", name, { list: `${explorer.id}-names`, placeholder: at ? "" : "F'[2,1,3]" })),
      h("td", {}, field("text", text, {})),
    ),
    said
      ? h(
          "tr",
          { class: `verdict ${said.verdict}` },
          h(
            "td",
            { colspan: 2, role: "status" },
            h("strong", {}, said.head),
            said.sentence ? h("span", { class: "sentence" }, said.sentence) : null,
          ),
        )
      : null,
  ];
}
