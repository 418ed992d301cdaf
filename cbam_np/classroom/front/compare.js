// Two examples side by side that differ in one choice.

import { coloursOf, kindOf } from "./colours.js";
import { changed } from "./changes.js";
import { menusOf, menuView } from "./choices.js";
import { askAside, computeHere } from "./confirm.js";
import { h } from "./dom.js";
import { toFloat, write } from "./numbers.js";
import { valueIn } from "./origin.js";
import { allIndices } from "./rules.js";
import { flat, mapName } from "./cells.js";
import { exampleOf } from "./state.js";
import { symbol } from "./words.js";

export function compareView(explorer) {
  const { against } = explorer.state;
  const menus = menusOf(explorer).filter(({ why, name }) => !why && name !== "dialect");
  const menu = menus.find(({ name }) => name === against?.name) ?? menus[0];
  const others = menu.options.filter(([value]) => value !== menu.value && value !== "own");
  const value = others.some(([other]) => other === against?.value) ? against.value : others[0]?.[0];
  const which = {
    name: "which",
    label: "What differs",
    value: menu.name,
    options: menus.map(({ name, label }) => [name, label]),
  };
  const what = { name: "what", label: "Compare with", value, options: others };
  return h(
    "div",
    { class: "compare" },
    menuView(explorer, which, { prefix: "compare", onchange: (name) => compare(explorer, { name, value: null }) }),
    others.length
      ? menuView(explorer, what, {
          prefix: "compare",
          onchange: (other) => compare(explorer, { name: menu.name, value: other }),
        })
      : null,
    others.length ? differencesView(explorer, menu, value) : h("p", {}, "There is nothing else to choose here."),
  );
}

function differencesView(explorer, menu, value) {
  const other = otherTrace(explorer, menu.name, value);
  const differing = [...explorer.trace.steps.keys()].filter((name) => isDifferent(name, explorer.trace, other));
  if (!differing.length) return h("p", { role: "status" }, "Nothing differs: every step has the same numbers.");
  const output = [...differing].reverse().find((name) => !name.startsWith("d"));
  const shown = differing.includes(explorer.state.against?.step)
    ? explorer.state.against.step
    : (output ?? differing.at(-1));
  const options = menu.options;
  const words = (choice) => options.find(([option]) => option === choice)?.[1] ?? choice;
  return h(
    "div",
    {},
    menuView(
      explorer,
      {
        name: "step",
        label: `Steps that differ (${differing.length})`,
        value: shown,
        options: differing.map((name) => [name, name]),
      },
      { prefix: "compare", onchange: (step) => compare(explorer, { name: menu.name, value, step }) },
    ),
    h(
      "div",
      { class: "two" },
      [
        [words(menu.value), explorer.trace],
        [words(value), other],
      ].map(([title, trace]) => oneSide(explorer, shown, title, trace, other)),
    ),
  );
}

function compare(explorer, against) {
  explorer.set({ against });
}

function otherTrace(explorer, name, value) {
  const key = `${name}=${value}`;
  if (!explorer.others.has(key)) {
    const example = exampleOf(changed(explorer, name, value));
    explorer.others.set(key, computeHere(example));
    askAside(explorer, example, explorer.others.get(key));
  }
  return explorer.others.get(key);
}

function isDifferent(name, trace, other) {
  if (!other.steps.has(name) || !trace.steps.get(name).rule) return false;
  const [a, b] = [trace.values[name], other.values[name]].map((x) => flat(x).map(toFloat));
  return a.length === b.length && a.some((x, at) => Math.abs(x - b[at]) > 1e-12 * Math.max(1, Math.abs(x)));
}

function oneSide(explorer, name, title, trace, other) {
  const { shape } = trace.steps.get(name);
  const largest = Math.max(
    ...[explorer.trace, other].flatMap(({ values }) => flat(values[name]).map((x) => Math.abs(toFloat(x)))),
  );
  const maps = shape.length === 3 ? allIndices([shape[0]]) : [[]];
  const cell = (index) => {
    const value = valueIn(trace.values)([name, index]);
    const { background, ink } = coloursOf(toFloat(value), kindOf(name), largest, explorer.theme);
    return h("span", { class: "cell", style: `background:${background};color:${ink}` }, write(value));
  };
  return h(
    "figure",
    {},
    h("figcaption", {}, h("strong", {}, title), h("br"), symbol(name)),
    maps.map((map) =>
      h(
        "div",
        { class: "map", style: `--columns: ${shape.length < 2 ? 1 : shape.at(-1)}` },
        map.length ? h("span", { class: "map-name" }, mapName(explorer, name, map[0])) : null,
        allIndices(shape.slice(map.length)).map((rest) => cell([...map, ...rest])),
      ),
    ),
  );
}
