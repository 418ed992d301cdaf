// Where a cell comes from and what it influences, read off the rules of steps.js.

import { fractionText, isExact, isZero, toFloat, write } from "./numbers.js";
import { everyIndex } from "./rules.js";
import { shareOf } from "./twin.js";
import { cellSymbol } from "./words.js";

export const keyOf = ([name, index]) => `${name}:${index.join()}`;

export function valueIn(values) {
  return ([name, index]) => index.reduce((array, i) => array?.[i], values[name]);
}

// The cells that a cell is computed from, those without a say left out: factors of 0, losers of a maximum's gradient.
export function operandsOf(rule, valueOf) {
  switch (rule.how) {
    case "sum":
      return rule.terms.filter((term) => term.length === 1 || !term.some((cell) => isZero(valueOf(cell)))).flat();
    case "max":
      return rule.cells;
    case "winner":
      return [rule.cell, ...rule.among];
    default:
      return rule.cells ?? [rule.cell];
  }
}

// Follow a cell back: a Map from keys to how many steps away they are, up to `depth` steps.
export function cameFrom(cell, { steps, values }, depth = Infinity) {
  const valueOf = valueIn(values);
  return follow(cell, depth, ([name, index]) => {
    const rule = steps.get(name)?.rule;
    return rule ? operandsOf(rule(index), valueOf) : [];
  });
}

// Follow a cell onward, likewise.
export function goesTo(cell, trace, depth = Infinity) {
  const onward = onwardOf(trace);
  return follow(cell, depth, (at) => onward.get(keyOf(at)) ?? []);
}

function follow(cell, depth, neighbours) {
  const found = new Map([[keyOf(cell), 0]]);
  let edge = [cell];
  for (let distance = 1; edge.length && distance <= depth; distance++) {
    const next = [];
    for (const at of edge.flatMap(neighbours)) {
      if (found.has(keyOf(at))) continue;
      found.set(keyOf(at), distance);
      next.push(at);
    }
    edge = next;
  }
  return found;
}

const known = new WeakMap(); // by trace: which cells each cell is an operand of

function onwardOf(trace) {
  if (known.has(trace)) return known.get(trace);
  const onward = new Map();
  const valueOf = valueIn(trace.values);
  for (const { name, shape, rule } of trace.steps.values()) {
    if (!rule) continue;
    everyIndex(shape, (index) => {
      for (const operand of new Map(operandsOf(rule(index), valueOf).map((cell) => [keyOf(cell), cell])).values()) {
        const key = keyOf(operand);
        onward.has(key) ? onward.get(key).push([name, index]) : onward.set(key, [[name, index]]);
      }
    });
  }
  known.set(trace, onward);
  return onward;
}

// --- formulas with numbers ---

// Write a number as a formula has it: exactly where that is short, and otherwise with three decimals.
export function told(x, inProduct = false) {
  const text = write(x);
  return inProduct && text.startsWith("−") ? `(${text})` : text;
}

// Return how a cell is computed, as parts to show: {symbols, numbers, result, more}. `more` counts terms left out.
export function formulaOf(cell, { steps, values }, most = 12) {
  const valueOf = valueIn(values);
  const rule = steps.get(cell[0])?.rule?.(cell[1]);
  const result = resultText(valueOf(cell));
  if (!rule) return { symbols: null, numbers: null, result, more: 0 };
  return { ...spell(rule, valueOf, { steps, most }), result };
}

// "= 13/9" where that is all, "≈ 0.809" where digits were dropped.
export function resultText(x) {
  const text = write(x);
  const whole = isExact(x) && fractionText(x).replace("-", "−") === text;
  const plain = Number(text.replace("−", "-"));
  return `${whole || Math.abs(plain - toFloat(x)) < 1e-12 * Math.max(1, Math.abs(plain)) ? "=" : "≈"} ${text}`;
}

function spell(rule, valueOf, { steps, most }) {
  const number = (cell, inProduct) => told(valueOf(cell), inProduct);
  switch (rule.how) {
    case "sum":
      return spellSum(rule, valueOf, most);
    case "max":
      return { symbols: null, numbers: [`max(${rule.cells.map((cell) => number(cell)).join(", ")})`], more: 0 };
    case "relu":
      return { symbols: ["ReLU(", cellSymbol(rule.cell), ")"], numbers: [`ReLU(${number(rule.cell)})`], more: 0 };
    case "sigmoid": {
      const inner = steps.get(rule.cell[0]).rule(rule.cell[1]);
      const sum = inner.how === "sum" && inner.terms.length <= 3 ? spellSum(inner, valueOf, most) : null;
      const inside = sum?.numbers ? `${sum.numbers.join("")}` : number(rule.cell);
      return { symbols: ["σ(", cellSymbol(rule.cell), ")"], numbers: [`σ(${inside})`], more: 0 };
    }
    case "relu slope": {
      const [da, h] = rule.cells;
      return {
        symbols: [cellSymbol(da), " · [", cellSymbol(h), " > 0]"],
        numbers: [`${number(da)} · [${number(h)} > 0]`],
        more: 0,
      };
    }
    case "sigmoid slope": {
      const [dM, M] = rule.cells;
      const symbols = [cellSymbol(dM), " · ", cellSymbol(M), " · (1 − ", cellSymbol(M), ")"];
      return { symbols, numbers: [`${number(dM, true)} · ${number(M)} · (1 − ${number(M)})`], more: 0 };
    }
    case "formula":
      return { symbols: null, numbers: [rule.spell(...rule.cells.map((cell) => number(cell, true)))], more: 0 };
    default:
      return spellWinner(rule, valueOf, number);
  }
}

function spellWinner(rule, valueOf, number) {
  const share = shareOf(rule, valueOf);
  const symbols = [cellSymbol(rule.cell), " where the maximum is, else 0"];
  if (isZero(share)) {
    const which = rule.ties === "first" ? "the first maximum" : "a maximum";
    const rivals = rule.among.map((cell) => number(cell)).join(", ");
    return {
      symbols,
      numbers: [`0, since ${number(rule.among[rule.mine])} is not ${which} of ${rivals}`],
      more: 0,
      isDone: true,
    };
  }
  const part = write(share) === "1" ? "" : ` · ${write(share)}`;
  return { symbols, numbers: [`${number(rule.cell, true)}${part}`], more: 0 };
}

function spellSum({ terms, over }, valueOf, most) {
  const heard =
    terms.length === 1 || terms.every((term) => term.length === 1)
      ? terms
      : terms.filter((term) => !term.some((cell) => isZero(valueOf(cell))));
  if (!heard.length)
    return {
      symbols: null,
      numbers: [terms.length ? "0, since every product has a factor 0" : "0, since it meets nothing but padding"],
      more: 0,
      isDone: true,
    };
  const shown = heard.slice(0, most);
  const more = heard.length - shown.length;
  const symbols =
    heard.length <= 3
      ? joined(shown.map((term) => term.flatMap((cell, at) => (at ? [" · ", cellSymbol(cell)] : cellSymbol(cell)))))
      : null;
  let numbers = shown
    .map((term) => term.map((cell, at) => told(valueOf(cell), at > 0)).join(" · "))
    .join(" + ")
    .replaceAll("+ −", "− ");
  if (more) numbers += ` + … ${more} more`;
  if (over === 1) return { symbols, numbers: [numbers], more };
  const wrap = (parts) => (heard.length > 1 ? ["(", ...parts, `) / ${over}`] : [...parts, ` / ${over}`]);
  return { symbols: symbols && wrap(symbols), numbers: wrap([numbers]), more };
}

function joined(lists) {
  return lists.flatMap((list, at) => (at ? [" + ", ...list] : list));
}
