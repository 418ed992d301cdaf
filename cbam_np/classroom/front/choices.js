// The choices: menus, each disabled with a reason where it would change nothing.

import { beginAgain, pick, resize } from "./changes.js";
import { h } from "./dom.js";
import { isEqual, isGreater } from "./numbers.js";
import { allIndices } from "./rules.js";
import { gatesOf } from "./steps.js";
import { valueIn } from "./origin.js";

const POOLS = [
  ["avg,max", "average and maximum"],
  ["max,avg", "maximum and average"],
  ["avg", "average"],
  ["max", "maximum"],
  ["mixed", "half of each"],
  ["lp", "L2 norm"],
  ["lse", "log-sum-exp"],
];

const ORDER_WORDS = [
  ["channel-spatial", "channel, then spatial"],
  ["spatial-channel", "spatial, then channel"],
  ["parallel", "in parallel"],
  ["channel", "channel only"],
  ["spatial", "spatial only"],
];
const BIASES = [
  ["false", "none"],
  ["true", "b₀ and b₁"],
];
const NORM = [
  ["false", "none"],
  ["true", "batch normalisation"],
];
const TIES = [
  ["first", "all to the first"],
  ["split", "shared evenly"],
];

// The menus: {name, label, options: [[value, text], ...], value, why}. `why` says why a menu has no effect.
export function menusOf(explorer) {
  const { begin, state } = explorer;
  const { choices, numbers } = state;
  const has = (attention) => gatesOf(choices.order).some((gate) => gate.attention === attention);
  const noMlp = has("channel") ? null : "this order has no MLP";
  const noKernel = has("spatial") ? null : "this order has no convolution";
  const C = numbers.F.length;
  const pixels = numbers.F[0].length * numbers.F[0][0].length;
  const menu = (name, label, options, why = null) => ({ name, label, options, value: String(choices[name]), why });
  const dialects = Object.entries(begin.dialects).map(([name, { says }]) => [name, says]);
  const hidden = (r) => [r, `${r}: ${plural(Math.floor(C / r), "hidden unit")}`];
  const kernels = Object.keys(begin.kernels).map((name) => [name, name]);
  const implementation = menu("dialect", "Implementation", [...dialects, ["own", "own choices"]]);
  return [
    menu("order", "Order", ORDER_WORDS),
    { ...implementation, value: dialectOf(explorer) },
    menu(
      "reduction",
      "Reduction r",
      Object.keys(begin.mlps[C]).map(hidden),
      noMlp ?? (C === 1 ? "one channel leaves no other r" : null),
    ),
    menu("channel_pools", "Pools of the MLP", POOLS, noMlp),
    menu("mlp_bias", "Biases in the MLP", BIASES, noMlp),
    menu("spatial_pools", "Pools of the kernel", POOLS, noKernel),
    menu("spatial_norm", "After the kernel", NORM, noKernel ?? (pixels === 1 ? "one pixel has no variance" : null)),
    menu("kernel", "Kernel", [...kernels, ["own", "own numbers"]], noKernel),
    menu("ties", "Tied maxima on the way back", TIES, tieReason(explorer)),
  ];
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function dialectOf({ begin, state }) {
  const is = (dialect) =>
    Object.entries(dialect.choices).every(([name, value]) => String(value) === String(state.choices[name]));
  return Object.keys(begin.dialects).find((name) => is(begin.dialects[name])) ?? "own";
}

// Where no maximum is reached twice, ties decide nothing.
function tieReason({ trace }) {
  const valueOf = valueIn(trace.values);
  const isTied = (name) =>
    allIndices(trace.steps.get(name).shape).some((index) => {
      const numbers = trace.steps.get(name).rule(index).cells.map(valueOf);
      const largest = numbers.reduce((a, b) => (isGreater(b, a) ? b : a));
      return numbers.filter((x) => isEqual(x, largest)).length > 1;
    });
  const maxima = ["F_max", "Fs_max", "F_mixed", "Fs_mixed"].filter((name) => trace.steps.has(name));
  if (!maxima.length) return "no maximum is taken";
  return maxima.some(isTied) ? null : "no maximum is reached twice";
}

export function menuView(explorer, menu, { prefix = "menu", onchange }) {
  const id = `${explorer.id}-${prefix}-${menu.name}`;
  const isOff = Boolean(menu.why);
  return h(
    "div",
    { class: "menu" },
    h("label", { for: id }, menu.label),
    h(
      "select",
      {
        id,
        disabled: isOff,
        "aria-describedby": isOff ? `${id}-why` : null,
        "data-value": menu.value,
        onchange: (event) => onchange(event.target.value),
      },
      menu.options.map(([value, text]) =>
        h("option", { value, selected: value === menu.value, disabled: value === "own" && menu.value !== "own" }, text),
      ),
    ),
    isOff ? h("p", { class: "why", id: `${id}-why` }, `No effect: ${menu.why}.`) : null,
  );
}

export function choicesView(explorer) {
  const [C, H, W] = explorer.trace.steps.get("F").shape;
  const sizes = [
    ["channels", C, 4],
    ["rows", H, 5],
    ["columns", W, 5],
  ];
  return h(
    "div",
    { class: "choices" },
    menusOf(explorer).map((menu) =>
      menuView(explorer, menu, { onchange: (value) => pick(explorer, menu.name, value) }),
    ),
    h(
      "fieldset",
      { class: "sizes" },
      h("legend", {}, "Size of F"),
      sizes.map(([name, size, most], axis) =>
        h(
          "label",
          {},
          name,
          h(
            "select",
            { "data-value": String(size), onchange: (event) => resize(explorer, axis, Number(event.target.value)) },
            [...Array(most).keys()].map((n) => h("option", { value: n + 1, selected: n + 1 === size }, n + 1)),
          ),
        ),
      ),
    ),
    h("button", { type: "button", class: "plain wide", onclick: () => beginAgain(explorer) }, "Back to the beginning"),
  );
}
