// Batch normalisation of the map that the convolution gives, over its own pixels: z = γ (y − μ) / √(v + ε) + β.

import { sum } from "./rules.js";

const EPSILON = 1e-5;
const ROOT = (v) => `√(${v} + 0.00001)`;
const [MEAN, VARIANCE, SCALE, SHIFT] = ["mu_s", "v_s", "gamma", "beta"].map((name) => [name, []]);

export function normalisationSteps(add, pixels, shape) {
  const cells = pixels.map((at) => ["y_s", at]);
  add("mu_s", [], () =>
    sum(
      cells.map((cell) => [cell]),
      cells.length,
    ),
  );
  add("v_s", [], () => ({
    how: "formula",
    cells: [MEAN, ...cells],
    compute: (mean, ...y) => y.reduce((total, number) => total + (number - mean) ** 2, 0) / y.length,
    spell: (mean, ...y) => `(${y.map((text) => `(${text} − ${mean})²`).join(" + ")}) / ${y.length}`,
  }));
  add("z_s", shape, (at) => ({
    how: "formula",
    cells: [["y_s", at], MEAN, VARIANCE, SCALE, SHIFT],
    compute: (y, mean, v, gamma, beta) => gamma * ((y - mean) / Math.sqrt(v + EPSILON)) + beta,
    spell: (y, mean, v, gamma, beta) => `${gamma} · (${y} − ${mean}) / ${ROOT(v)} + ${beta}`,
  }));
}

// What comes back: μ and v are made of the map itself, so that it moves them, too.
export function gradientsOfNormalisation(add, pixels, shape) {
  const M = pixels.length;
  add("dgamma", [], () => ({
    how: "formula",
    cells: [MEAN, VARIANCE, ...pixels.map((at) => ["dz_s", at]), ...pixels.map((at) => ["y_s", at])],
    compute: (mean, v, ...both) =>
      pixels.reduce((total, _, n) => total + both[n] * ((both[M + n] - mean) / Math.sqrt(v + EPSILON)), 0),
    spell: (mean, v, ...both) =>
      pixels.map((_, n) => `${both[n]} · (${both[M + n]} − ${mean}) / ${ROOT(v)}`).join(" + "),
  }));
  add("dbeta", [], () => sum(pixels.map((at) => [["dz_s", at]])));
  add("dy_s", shape, (at) => ({
    how: "formula",
    cells: [["dz_s", at], ["y_s", at], MEAN, VARIANCE, SCALE, ["dgamma", []], ["dbeta", []]],
    compute: (dz, y, mean, v, gamma, dgamma, dbeta) => {
      const root = Math.sqrt(v + EPSILON);
      return (gamma / root) * (dz - dbeta / M - (((y - mean) / root) * dgamma) / M);
    },
    spell: (dz, y, mean, v, gamma, dgamma, dbeta) =>
      `${gamma} / ${ROOT(v)} · (${dz} − ${dbeta} / ${M} − (${y} − ${mean}) / ${ROOT(v)} · ${dgamma} / ${M})`,
  }));
}
