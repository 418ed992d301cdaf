// What things are called: the symbols of the steps, and the stages that a class walks through.

import { h } from "./dom.js";
import { gatesOf } from "./steps.js";

const POOL_WORDS = { avg: "the average", max: "the maximum", mixed: "the mixture", lp: "the norm", lse: "log-sum-exp" };
const GREEK = { gamma: "γ", beta: "β", mu: "μ" };
const LETTER =
  /^(d?)(Fs?|[A-Za-z]+?)(\d?)('*)(?:_(c|s|avg|max|lp|lse|mixed))?(?:_(via|direct))?(?:_(Fs?)_(avg|max|lp|lse|mixed))?$/;

// Return a step's name as it is written in the lecture: M with a small c, F with an s above and avg below.
export function symbol(name) {
  const found = LETTER.exec(name);
  if (!found) return [name];
  const [, d, letter, digit, primes, low, way, pooled, pool] = found;
  const isPooled = /^Fs?$/.test(letter) && low !== undefined;
  const out = [d, GREEK[letter] ?? letter.replace("s", ""), "′".repeat(primes.length)];
  if (isPooled) out.push(h("span", { class: "supsub" }, h("sup", {}, letter === "Fs" ? "s" : "c"), h("sub", {}, low)));
  else if (digit || low) out.push(h("sub", {}, digit || low));
  if (way === "direct") out.push(" direct");
  if (way === "via") out.push(" via ", symbol(`${pooled}_${pool}`));
  return out;
}

// Return the same as plain text, as the checker spells it, with indices from 1.
export function cellName([name, index]) {
  return index.length ? `${name}[${index.map((i) => i + 1).join(",")}]` : name;
}

export function cellSymbol([name, index]) {
  return [symbol(name), index.length ? `[${index.map((i) => i + 1).join(",")}]` : ""];
}

// For which pool's map a half of the kernel is.
export function forPool(pool) {
  return `for ${POOL_WORDS[pool]}`;
}

// What stands over an array in the frame: the operation that it came out of.
export function operation(name, k = 7, isNormalised = false) {
  const pool = /^Fs?_(\w+)$/.exec(name)?.[1];
  if (pool) return pool;
  const letter = name.split("_")[0];
  if (letter === "h") return "W₀·";
  if (letter === "a") return "ReLU";
  if (name === "z_c") return "⊕";
  if (name === "y_s" || (name === "z_s" && !isNormalised)) return `${k}×${k}`;
  if (name === "z_s") return "norm";
  if (letter === "z") return "W₁·";
  if (letter === "M") return "σ";
  return /^F'+$/.test(name) ? "⊗" : "";
}

// The stages of an example: {id, title, names, focus, says, way}. `names` are the steps that are computed in it; `focus` is
// the one to look at first, if it is not the first of them.
export function stagesOf(choices, backward) {
  const gates = gatesOf(choices.order);
  const stages = [
    {
      id: "F",
      title: "The feature map",
      names: ["F"],
      says: "What a CNN found in the image, one map per channel. Type your own numbers.",
    },
    ...gates.flatMap((gate) => (gate.attention === "channel" ? channelStages : spatialStages)(choices, gate)),
  ].map((stage) => ({ ...stage, way: "forward" }));
  if (!backward) return stages;
  const last = gates.at(-1).after;
  const back = [
    {
      id: `d${last}`,
      title: "The way back begins",
      names: [`d${last}`],
      says: "How the loss changes with each entry of the output. Type your own.",
    },
    ...[...gates]
      .reverse()
      .flatMap((gate) => (gate.attention === "channel" ? channelBack : spatialBack)(choices, gate)),
  ];
  return [...stages, ...back.map((stage) => ({ ...stage, way: "backward" }))];
}

const prime = (name) => name.replaceAll("'", "′");

function channelStages({ channel_pools: pools }, { after }) {
  const each = (letter) => pools.map((pool) => `${letter}_${pool}`);
  return [
    {
      id: "pool-space",
      title: "Pool over space",
      names: each("F"),
      says: "Each channel becomes one number per pool: what is there, no matter where.",
    },
    {
      id: "hidden",
      title: "Shared MLP: hidden layer",
      names: [...each("h"), ...each("a")],
      says: "The same W₀ for every pool; ReLU keeps what is above 0.",
    },
    {
      id: "scores",
      title: "Shared MLP: output layer",
      names: each("z"),
      says: "The same W₁ for every pool leads back to one number per channel.",
    },
    {
      id: "M_c",
      title: "Channel attention",
      names: ["z_c", "M_c"],
      focus: "M_c",
      says: "The branches are added, and σ squashes the sum: one weight per channel, between 0 and 1.",
    },
    {
      id: after,
      title: "Multiply by the channels' weights",
      focus: after,
      names: [after],
      says: "Every pixel of a channel is multiplied by that channel's weight.",
    },
  ];
}

function spatialStages({ spatial_pools: pools, spatial_norm }, { after }) {
  const normalisation = {
    id: "norm",
    title: "Batch normalisation",
    names: ["mu_s", "v_s", "z_s"],
    focus: "z_s",
    says: "The map is brought to mean 0 and variance 1, here over its own pixels, then stretched by γ and shifted by β.",
  };
  return [
    {
      id: "pool-channels",
      title: "Pool over channels",
      names: pools.map((pool) => `Fs_${pool}`),
      says: "Each pixel becomes one number per pool: where something is, no matter what.",
    },
    {
      id: "z_s",
      title: "Convolution",
      names: [spatial_norm ? "y_s" : "z_s"],
      says: "The kernel looks at a window of each padded map; all products are added.",
      window: true,
    },
    ...(spatial_norm ? [normalisation] : []),
    {
      id: "M_s",
      title: "Spatial attention",
      names: ["M_s"],
      says: "σ squashes each score: one weight per pixel, between 0 and 1.",
    },
    {
      id: after,
      title: "Multiply by the pixels' weights",
      focus: after,
      names: [after],
      says: "Every channel of a pixel is multiplied by that pixel's weight.",
    },
  ];
}

function spatialBack({ spatial_pools: pools, spatial_norm }, gate) {
  const { source, before } = gate;
  const normalisation = {
    id: "dy_s",
    title: "Back through the normalisation",
    names: ["dgamma", "dbeta", "dy_s"],
    focus: "dy_s",
    says: "Mean and variance are made of the map itself, so that each pixel moves them, too.",
  };
  return [
    {
      id: "dM_s",
      title: "Back through ⊗ to the weights",
      names: ["dM_s"],
      says: "Each weight collects from every entry that it multiplied.",
    },
    {
      id: `d${before}_direct`,
      title: `Back through ⊗ to ${prime(before)}`,
      names: [`d${before}_direct`],
      says: `${prime(before)} enters the product twice: directly, as here, and through its map.`,
    },
    {
      id: "dz_s",
      title: "Back through σ",
      names: ["dz_s"],
      says: "The slope of σ is M (1 − M): largest in the middle, small where σ is flat.",
    },
    ...(spatial_norm ? [normalisation] : []),
    {
      id: "dW7",
      title: "Back to the kernel",
      names: ["dW7"],
      says: "Each weight collects from every pixel that it met.",
    },
    {
      id: "dFs",
      title: "Back to the pooled maps",
      names: pools.map((pool) => `dFs_${pool}`),
      says: "Each pixel collects from every window that saw it.",
    },
    ...pools.map((pool) => throughPool(pool, `d${source}_via_Fs_${pool}`, "pixel")),
    meeting(gate),
  ];
}

function channelBack({ channel_pools: pools, mlp_bias }, gate) {
  const { source, before } = gate;
  const each = (letter) => pools.map((pool) => `${letter}_${pool}`);
  const weights = mlp_bias ? ["dW1", "db1", "dW0", "db0"] : ["dW1", "dW0"];
  return [
    {
      id: "dM_c",
      title: "Back through ⊗ to the weights",
      names: ["dM_c"],
      says: "Each weight collects from every entry that it multiplied.",
    },
    {
      id: `d${before}_direct`,
      title: `Back through ⊗ to ${prime(before)}`,
      names: [`d${before}_direct`],
      says: `${prime(before)} enters the product twice: directly, as here, and through its map.`,
    },
    {
      id: "dz_c",
      title: "Back through σ",
      names: ["dz_c"],
      says: "The slope of σ is M (1 − M): largest in the middle, small where σ is flat.",
    },
    {
      id: "da",
      title: "Back through the MLP",
      names: [...each("da"), ...each("dh"), ...each("dF")],
      says: "Each layer's transpose leads back; a closed ReLU lets nothing through.",
    },
    {
      id: "dW1",
      title: "The MLP's weights",
      names: weights,
      says: "One MLP is used on every pooled vector, so its gradients add.",
    },
    ...pools.map((pool) => throughPool(pool, `d${source}_via_F_${pool}`, "entry")),
    meeting(gate),
  ];
}

// The way back through one pool.
function throughPool(pool, name, what) {
  const says = {
    avg: `An average shares its gradient evenly: every ${what} gets the same part.`,
    max: `A maximum hands its gradient to the ${what} that won, and 0 to the others.`,
  };
  const other = `Each ${what} gets as much as it moves the result.`;
  return { id: name, title: `Back through ${POOL_WORDS[pool]}`, names: [name], says: says[pool] ?? other };
}

// Where ways into one feature map meet and add up.
function meeting({ before }) {
  const title = `The ways into ${prime(before)} add up`;
  return {
    id: `d${before}`,
    title,
    names: [`d${before}`],
    says: "A gradient comes back along every way that the number took; here they are added.",
  };
}
