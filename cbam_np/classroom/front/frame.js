// The frame: the diagram of CBAM with its numbers in it. On the way back it holds the gradients, and its arrows turn round.

import { arrayView } from "./cells.js";
import { h } from "./dom.js";
import { gatesOf } from "./steps.js";

const WEIGHTS = /^d?([Wb]\d|gamma|beta)$/;

// The columns of the frame, one list per attention: each column holds the arrays that stand above one another.
export function columnsOf({ order, channel_pools, spatial_pools, spatial_norm }) {
  const each = (pools, letter) => pools.map((pool) => `${letter}_${pool}`);
  return gatesOf(order).map(({ attention, source, before, after }) => {
    const inside =
      attention === "channel"
        ? [...["F", "h", "a", "z"].map((letter) => each(channel_pools, letter)), ["z_c"], ["M_c"]]
        : [each(spatial_pools, "Fs"), ...(spatial_norm ? [["y_s"]] : []), ["z_s"], ["M_s"]];
    return { begin: source === before ? [[before]] : [[source], [before]], rest: [...inside, [after]] };
  });
}

// Lay the frame out in one row, or, where it has more room, in a row per attention.
export function rowsOf(choices, way, steps, inRows) {
  const blocks = columnsOf(choices);
  const there = (columns) =>
    columns
      .map((names) => names.map((name) => (way === "forward" ? name : `d${name}`)).filter((name) => steps.has(name)))
      .filter((names) => names.length);
  if (inRows) return blocks.map(({ begin, rest }) => there([...begin, ...rest]));
  return [there([...blocks[0].begin, ...blocks.flatMap(({ rest }) => rest)])];
}

// Draw the frame for the explorer's present step.
export function frameView(explorer, inRows) {
  const { choices } = explorer.state;
  const rows = rowsOf(choices, explorer.way, explorer.trace.steps, inRows);
  const current = explorer.state.mode === "all" ? [] : explorer.stage.names;
  const lines = rows.map((columns, row) =>
    h(
      "div",
      { class: "row" },
      columns.map((names) =>
        h(
          "div",
          { class: "column" },
          names.map((name) =>
            h(
              "div",
              {
                class: current.includes(name) ? "node current" : "node",
                "data-node": `${row}:${name}`,
                "data-key": `node:${row}:${name}`,
              },
              arrayView(explorer, name, { place: `frame${row}`, badge: explorer.way === "forward", editable: inRows }),
            ),
          ),
        ),
      ),
      inRows && explorer.way === "forward" ? weightsOf(explorer, columns, row) : null,
    ),
  );
  const title = `CBAM from ${explorer.way === "forward" ? "F to the output" : "the output's gradient back to F"}`;
  return h(
    "div",
    { class: "frame-content", role: "group", "aria-label": title },
    h("svg", { class: "arrows", "data-drawn": true, "aria-hidden": "true" }),
    h("div", { class: "rows" }, lines),
  );
}

// In the large frame, the MLP's weights stand at the end of its row.
function weightsOf(explorer, columns, row) {
  const names = columns.flat().includes("z_c")
    ? ["W0", "b0", "W1", "b1"].filter((name) => explorer.trace.steps.has(name))
    : [];
  if (!names.length) return null;
  return h(
    "div",
    { class: "column weights" },
    names.map((name) => arrayView(explorer, name, { place: `frame${row}`, editable: true })),
  );
}

// Tell which arrays flow into which, as pairs of nodes "row:name"; on the way back likewise.
export function edgesOf(rows, steps, way) {
  const edges = [];
  rows.forEach((columns, row) => {
    const here = columns.flat();
    for (const name of here) {
      for (const source of sourcesOf(name, steps, here, way)) {
        if (way === "forward" ? here.indexOf(source) < here.indexOf(name) : here.indexOf(source) > here.indexOf(name)) {
          edges.push([`${row}:${source}`, `${row}:${name}`]);
        }
      }
    }
  });
  return edges;
}

// The arrays of the frame that a step is computed from, through whatever is not in the frame.
function sourcesOf(name, steps, here, way) {
  const rule = steps.get(name).rule;
  if (!rule) return [];
  const inputs = namesIn(rule(steps.get(name).shape.map((n) => n >> 1))).filter(
    (input) => !WEIGHTS.test(input) && input !== name,
  );
  const wanted = way === "forward" ? inputs : inputs.filter((input) => input.startsWith("d"));
  return [
    ...new Set(
      wanted.flatMap((input) =>
        here.includes(input) ? [input] : steps.get(input).rule ? sourcesOf(input, steps, here, way) : [],
      ),
    ),
  ];
}

export function namesIn(rule) {
  const cells =
    rule.how === "sum"
      ? rule.terms.flat()
      : rule.how === "winner"
        ? [rule.cell, ...rule.among]
        : (rule.cells ?? [rule.cell]);
  return [...new Set(cells.map(([name]) => name))];
}

// Draw the arrows where the arrays have come to lie.
export function drawArrows(content, edges, current, isColumn) {
  const svg = content.querySelector("svg.arrows");
  svg.setAttribute("width", content.offsetWidth);
  svg.setAttribute("height", content.offsetHeight);
  const places = new Map(
    [...content.querySelectorAll("[data-node]")].map((node) => [node.dataset.node, placeOf(node, content)]),
  );
  const pathBetween = isColumn ? pathDown : pathAcross;
  const paths = edges.map(([from, to]) => {
    const isCurrent = current.includes(to.split(":")[1]);
    return h("path", {
      d: pathBetween(places.get(from), places.get(to)),
      class: isCurrent ? "arrow current" : "arrow",
      "marker-end": isCurrent ? "url(#head-current)" : "url(#head)",
    });
  });
  svg.replaceChildren(h("defs", {}, head("head", "arrow-head"), head("head-current", "arrow-head current")), ...paths);
}

function head(id, name) {
  return h(
    "marker",
    {
      id,
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      markerUnits: "userSpaceOnUse",
      orient: "auto-start-reverse",
    },
    h("path", { d: "M0 0 L8 4 L0 8 z", class: name }),
  );
}

function placeOf(node, content) {
  const maps = node.querySelector(".maps");
  let [x, y] = [0, 0];
  for (let at = maps; at && at !== content; at = at.offsetParent) {
    x += at.offsetLeft;
    y += at.offsetTop;
  }
  const column = node.closest(".column");
  const row = node.closest(".row");
  return {
    x,
    y,
    w: maps.offsetWidth,
    h: maps.offsetHeight,
    column: [...row.children].indexOf(column),
    top: row.offsetTop + (row.offsetParent === content ? 0 : row.offsetParent.offsetTop),
  };
}

// Neighbours are joined by a curve; what goes further passes over the others, or in a column, beside them.
function pathAcross(a, b) {
  const [left, right, isBack] = a.x < b.x ? [a, b, false] : [b, a, true];
  const from = { x: left.x + left.w + 2, y: left.y + left.h / 2 };
  const to = { x: right.x - 3, y: right.y + right.h / 2 };
  if (Math.abs(a.column - b.column) <= 1 || a.column === b.column) {
    const bend = Math.max(8, (to.x - from.x) / 2);
    return isBack
      ? `M${to.x} ${to.y} C${to.x - bend} ${to.y} ${from.x + bend} ${from.y} ${from.x + 2} ${from.y}`
      : `M${from.x} ${from.y} C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  }
  const roof = left.top + 5;
  const [start, end] = [left.x + left.w * 0.75, right.x + right.w * 0.25]; // so that one way ends before the next begins
  const [upFrom, upTo] = [Math.min(left.y - 22, roof + 14), Math.min(right.y - 22, roof + 14)];
  return isBack ? `M${end} ${upTo} V${roof} H${start} V${upFrom}` : `M${start} ${upFrom} V${roof} H${end} V${upTo}`;
}

function pathDown(a, b) {
  const [upper, lower, isBack] = a.y < b.y ? [a, b, false] : [b, a, true];
  const from = { x: upper.x + upper.w / 2, y: upper.y + upper.h + 3 };
  const to = { x: lower.x + lower.w / 2, y: lower.y - 24 };
  if (Math.abs(a.column - b.column) <= 1) {
    const bend = Math.max(4, (to.y - from.y) / 2);
    const curve = [from, { x: from.x, y: from.y + bend }, { x: to.x, y: to.y - bend }, to];
    const [p, q, r, s] = isBack ? curve.reverse() : curve;
    return `M${p.x} ${p.y} C${q.x} ${q.y} ${r.x} ${r.y} ${s.x} ${s.y}`;
  }
  const side = -6; // left of everything
  const [start, end] = [upper.y + upper.h * 0.75, lower.y + lower.h * 0.25];
  return isBack
    ? `M${lower.x - 5} ${end} H${side} V${start} H${upper.x - 5}`
    : `M${upper.x - 5} ${start} H${side} V${end} H${lower.x - 5}`;
}
