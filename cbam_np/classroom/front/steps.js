// Every step of CBAM, forward and backward: its name, its shape, and what each of its entries is computed from.
//
// The names are those of the Python package and of its checker. A *cell* is [name, index], with indices from 0 here and
// from 1 wherever a person sees them. A *rule* says how one entry follows from other cells:
//
//   {how: "sum", terms: [[cell, cell], ...], over}   Σ of products, divided by `over`
//   {how: "max", cells}                              their maximum
//   {how: "relu" | "sigmoid", cell}
//   {how: "relu slope", cells: [da, h]}              da · [h > 0]
//   {how: "sigmoid slope", cells: [dM, M]}           dM · M · (1 − M)
//   {how: "winner", cell, among, mine, ties}         `cell` if `mine` is the maximum of `among`, else 0
//   {how: "formula", cells, compute, spell}          any other: compute(...numbers), spell(...texts)

import { gradientsOfNormalisation, normalisationSteps } from "./norm.js";
import { poolBackward, poolForward } from "./pools.js";
import { allIndices, everyIndex, sum } from "./rules.js";

export const ORDERS = {
  "channel-spatial": ["channel", "spatial"],
  "spatial-channel": ["spatial", "channel"],
  parallel: ["channel", "spatial"],
  channel: ["channel"],
  spatial: ["spatial"],
};

// `sizes` are {C, H, W, hidden, k}; `choices` are {order, channel_pools, spatial_pools, ties, mlp_bias, spatial_norm}.
// Returns a Map from names to {name, shape, rule}, in the order of the calculation; given steps have no rule.
export function stepsOf(sizes, choices, backward = true) {
  const { C, H, W, hidden, k } = sizes;
  const steps = new Map();
  const add = (name, shape, rule) => steps.set(name, { name, shape, rule });
  const gates = gatesOf(choices.order);
  add("F", [C, H, W]);
  if (gates.some((gate) => gate.attention === "channel")) {
    add("W0", [hidden, C]);
    if (choices.mlp_bias) add("b0", [hidden]);
    add("W1", [C, hidden]);
    if (choices.mlp_bias) add("b1", [C]);
  }
  if (gates.some((gate) => gate.attention === "spatial")) {
    add("W7", [choices.spatial_pools.length, k, k]);
    if (choices.spatial_norm) ["gamma", "beta"].forEach((name) => add(name, []));
  }
  for (const gate of gates) {
    (gate.attention === "channel" ? addChannel : addSpatial)(add, sizes, choices, gate);
  }
  if (backward) addBackward(add, sizes, choices, gates);
  return steps;
}

// The attentions in their order: each looks at `source`, and multiplies its map onto `before`, which gives `after`.
export function gatesOf(order) {
  let before = "F";
  return ORDERS[order].map((attention) => {
    const gate = { attention, source: order === "parallel" ? "F" : before, before, after: before + "'" };
    before = gate.after;
    return gate;
  });
}

// --- forward ---

function addChannel(add, { C, H, W, hidden }, { channel_pools, mlp_bias }, { source, before, after }) {
  for (const pool of channel_pools) {
    add(`F_${pool}`, [C], ([c]) =>
      poolForward(
        pool,
        allIndices([H, W]).map(([i, j]) => [source, [c, i, j]]),
      ),
    );
  }
  for (const pool of channel_pools) {
    add(`h_${pool}`, [hidden], ([h]) => {
      const terms = range(C).map((c) => [
        ["W0", [h, c]],
        [`F_${pool}`, [c]],
      ]);
      return sum(mlp_bias ? [...terms, [["b0", [h]]]] : terms); // h = W0 F + b0
    });
    add(`a_${pool}`, [hidden], ([h]) => ({ how: "relu", cell: [`h_${pool}`, [h]] })); // a = ReLU(h)
    add(`z_${pool}`, [C], ([c]) => {
      const terms = range(hidden).map((h) => [
        ["W1", [c, h]],
        [`a_${pool}`, [h]],
      ]);
      return sum(mlp_bias ? [...terms, [["b1", [c]]]] : terms); // z = W1 a + b1
    });
  }
  add("z_c", [C], ([c]) => sum(channel_pools.map((pool) => [[`z_${pool}`, [c]]])));
  add("M_c", [C], ([c]) => ({ how: "sigmoid", cell: ["z_c", [c]] })); // M_c = σ(MLP(avg) + MLP(max))
  add(after, [C, H, W], ([c, i, j]) =>
    sum([
      [
        ["M_c", [c]],
        [before, [c, i, j]],
      ],
    ]),
  ); // F′ = M_c ⊗ F
}

function addSpatial(add, { C, H, W, k }, { spatial_pools, spatial_norm }, { source, before, after }) {
  for (const pool of spatial_pools) {
    add(`Fs_${pool}`, [H, W], ([i, j]) =>
      poolForward(
        pool,
        range(C).map((c) => [source, [c, i, j]]),
      ),
    );
  }
  add(spatial_norm ? "y_s" : "z_s", [H, W], ([i, j]) => {
    const terms = [];
    spatial_pools.forEach((pool, m) =>
      everyIndex([k, k], ([a, b]) => {
        const at = [i + a - (k >> 1), j + b - (k >> 1)]; // the pixel that this weight meets
        if (isInside(at, H, W))
          terms.push([
            ["W7", [m, a, b]],
            [`Fs_${pool}`, at],
          ]);
      }),
    );
    return sum(terms);
  });
  if (spatial_norm) normalisationSteps(add, allIndices([H, W]), [H, W]);
  add("M_s", [H, W], (at) => ({ how: "sigmoid", cell: ["z_s", at] })); // M_s = σ(f([avg; max]))
  add(after, [C, H, W], ([c, i, j]) =>
    sum([
      [
        ["M_s", [i, j]],
        [before, [c, i, j]],
      ],
    ]),
  ); // F″ = M_s ⊗ F′
}

// --- backward: the gates last one first ---

function addBackward(add, sizes, choices, gates) {
  const { C, H, W } = sizes;
  const paths = {}; // by what they lead to: the gradients that add up there
  add(`d${gates.at(-1).after}`, [C, H, W]);
  for (const gate of [...gates].reverse()) {
    const { attention, source, before, after } = gate;
    const [M, mapShape] = attention === "channel" ? ["M_c", [C]] : ["M_s", [H, W]];
    add(`d${M}`, mapShape, (at) => {
      const cells =
        attention === "channel" ? allIndices([H, W]).map(([i, j]) => [at[0], i, j]) : range(C).map((c) => [c, ...at]);
      return sum(
        cells.map((cell) => [
          [`d${after}`, cell],
          [before, cell],
        ]),
      ); // dM = Σ dF′ · F
    });
    const direct = `d${before}_direct`;
    add(
      direct,
      [C, H, W],
      ([c, i, j]) =>
        sum([
          [
            [M, attention === "channel" ? [c] : [i, j]],
            [`d${after}`, [c, i, j]],
          ],
        ]), // M · dF′
    );
    const ways = (attention === "channel" ? addChannelBackward : addSpatialBackward)(add, sizes, choices, source);
    (paths[before] ??= []).push(direct);
    (paths[source] ??= []).push(...ways);
    const meeting = [...paths[before]];
    add(`d${before}`, [C, H, W], (at) => sum(meeting.map((path) => [[path, at]])));
  }
}

function addSpatialBackward(add, { C, H, W, k }, { spatial_pools, spatial_norm, ties }, source) {
  const half = k >> 1;
  const d = spatial_norm ? "dy_s" : "dz_s"; // of what the convolution gave
  add("dz_s", [H, W], (at) => ({
    how: "sigmoid slope",
    cells: [
      ["dM_s", at],
      ["M_s", at],
    ],
  }));
  if (spatial_norm) gradientsOfNormalisation(add, allIndices([H, W]), [H, W]);
  add("dW7", [spatial_pools.length, k, k], ([m, a, b]) => {
    const pixels = allIndices([H, W]).filter(([i, j]) => isInside([i + a - half, j + b - half], H, W));
    return sum(
      pixels.map(([i, j]) => [
        [d, [i, j]],
        [`Fs_${spatial_pools[m]}`, [i + a - half, j + b - half]],
      ]),
    );
  });
  spatial_pools.forEach((pool, m) =>
    add(`dFs_${pool}`, [H, W], ([i, j]) => {
      const terms = [];
      everyIndex([k, k], ([a, b]) => {
        const at = [i - a + half, j - b + half]; // the pixel whose window met this one through weight [a, b]
        if (isInside(at, H, W))
          terms.push([
            ["W7", [m, a, b]],
            [d, at],
          ]);
      });
      return sum(terms);
    }),
  );
  return spatial_pools.map((pool) => {
    const name = `d${source}_via_Fs_${pool}`;
    add(name, [C, H, W], ([c, i, j]) => {
      const among = range(C).map((other) => [source, [other, i, j]]);
      return poolBackward(pool, [`Fs_${pool}`, [i, j]], among, c, tiesOver("channels", ties));
    });
    return name;
  });
}

function addChannelBackward(add, { C, H, W, hidden }, { channel_pools, mlp_bias, ties }, source) {
  add("dz_c", [C], (at) => ({
    how: "sigmoid slope",
    cells: [
      ["dM_c", at],
      ["M_c", at],
    ],
  }));
  for (const pool of channel_pools) {
    add(`da_${pool}`, [hidden], ([h]) =>
      sum(
        range(C).map((c) => [
          ["W1", [c, h]],
          ["dz_c", [c]],
        ]),
      ),
    ); // W1ᵀ dz
    add(`dh_${pool}`, [hidden], (at) => ({
      how: "relu slope",
      cells: [
        [`da_${pool}`, at],
        [`h_${pool}`, at],
      ],
    }));
    add(`dF_${pool}`, [C], ([c]) =>
      sum(
        range(hidden).map((h) => [
          ["W0", [h, c]],
          [`dh_${pool}`, [h]],
        ]),
      ),
    ); // W0ᵀ dh
  }
  add("dW1", [C, hidden], ([c, h]) =>
    sum(
      channel_pools.map((pool) => [
        ["dz_c", [c]],
        [`a_${pool}`, [h]],
      ]),
    ),
  );
  if (mlp_bias) add("db1", [C], (at) => sum(channel_pools.map(() => [["dz_c", at]])));
  add("dW0", [hidden, C], ([h, c]) =>
    sum(
      channel_pools.map((pool) => [
        [`dh_${pool}`, [h]],
        [`F_${pool}`, [c]],
      ]),
    ),
  );
  if (mlp_bias) add("db0", [hidden], (at) => sum(channel_pools.map((pool) => [[`dh_${pool}`, at]])));
  return channel_pools.map((pool) => {
    const name = `d${source}_via_F_${pool}`;
    add(name, [C, H, W], ([c, i, j]) => {
      const among = allIndices([H, W]).map(([y, x]) => [source, [c, y, x]]);
      return poolBackward(pool, [`F_${pool}`, [c]], among, i * W + j, tiesOver("space", ties));
    });
    return name;
  });
}

function tiesOver(what, ties) {
  return typeof ties === "string" ? ties : ties[what === "space" ? 0 : 1];
}

function isInside([i, j], H, W) {
  return i >= 0 && i < H && j >= 0 && j < W;
}

function range(n) {
  return [...Array(n).keys()];
}
