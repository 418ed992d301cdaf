// Is mine right? Answers are judged again at every change, of the answers and of the example.

import { h } from "./dom.js";
import { findCell, judged, kindOfVerdict, quoted, SAID } from "./judging.js";
import { read } from "./numbers.js";
import { allIndices } from "./rules.js";
import { cellName } from "./words.js";

// Judge what stands in the box. What can be read is judged at once; a checker that is asked may add the mistake's name.
export function judgeBox(explorer, { draws = false } = {}) {
  const rows = explorer.state.asked.map(({ name, text }) => readRow(name, text, explorer.trace));
  const last = new Map(rows.map((row, at) => [row?.name, at]));
  explorer.rows = rows.map((row, at) =>
    row?.name && last.get(row.name) !== at ? { problem: `${row.name} stands here twice: the last one counts` } : row,
  );
  const answers = Object.fromEntries(rows.flatMap((row) => (row?.name ? [[row.name, row.text]] : [])));
  const mine = judged(explorer, answers, () => mine === explorer.told && explorer.draw());
  explorer.told = mine;
  if (draws) explorer.draw();
}

// What a row of the box holds: {name, text}, {problem}, or null where there is nothing to say.
function readRow(name, text, trace) {
  if (!name.trim()) return null;
  const { cell, problem } = findCell(name, trace);
  if (problem) return { problem };
  if (!text.trim()) return null;
  if (!read(text)) return { problem: `“${quoted(text)}” is not a number: write a decimal or a fraction` };
  return { name: cellName(cell), text };
}

function verdictOf(row, told) {
  if (row?.problem) return { kind: "unread", head: row.problem };
  if (!row || !told[row.name]) return null;
  const { verdict, mistake, sentence } = told[row.name];
  return { kind: kindOfVerdict(verdict), head: `${SAID[verdict]}${mistake ? `: ${mistake}` : ""}`, sentence };
}

function answer(explorer, at, change) {
  const { asked } = explorer.state;
  asked[at] = { name: "", text: "", ...asked[at], ...change };
  while (asked.length && !asked.at(-1).name && !asked.at(-1).text) asked.pop();
  judgeBox(explorer, { draws: true });
}

function cellNames({ steps }) {
  return [...steps.values()]
    .filter(({ rule }) => rule)
    .flatMap(({ name, shape }) => allIndices(shape).map((index) => cellName([name, index])));
}

export function answersView(explorer) {
  const { asked } = explorer.state;
  const rows = [...asked, { name: "", text: "" }];
  return h(
    "form",
    { class: "answers", onsubmit: (event) => (event.preventDefault(), judgeBox(explorer, { draws: true })) },
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
      cellNames(explorer.trace).map((name) => h("option", { value: name })),
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
      oninput: (event) => answer(explorer, at, { [kind]: event.target.value }),
      ...extra,
    });
  const said = verdictOf(explorer.rows[at], explorer.told);
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
          { class: `verdict ${said.kind}` },
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
