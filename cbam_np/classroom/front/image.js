// A network's attention on real images, from "off", where every weight is 1, to "on".

import { coloursOf } from "./colours.js";
import { h } from "./dom.js";
import { bytes, LARGE, paint, paintMap, paintOutline, readPicture, SIZE } from "./pixels.js";

export function imageView(explorer) {
  const picture = pictureShown(explorer);
  const { strength } = explorer.state;
  return h(
    "div",
    { class: "images" },
    choiceView(explorer),
    h(
      "div",
      { class: "picture-stages" },
      h("h2", {}, picture.label, h("span", { class: "source" }, picture.source)),
      h(
        "div",
        { class: "three" },
        picture.stages.map((stage, at) => stageOfNetwork(explorer, picture, stage, at, strength)),
      ),
      strengthView(explorer, strength),
    ),
    h("div", { class: "verdicts" }, heatView(explorer, picture), probabilitiesView(picture, strength)),
  );
}

function pictureShown({ state, begin, ownPicture }) {
  return state.picture === "own" ? ownPicture : (begin.images[state.picture] ?? begin.images[0]);
}

// Ask the network about somebody's own picture.
async function lookAt(file, explorer) {
  const { pixels, problem: unread } = await readPicture(file);
  if (unread) return explorer.set({ pictureProblem: unread });
  explorer.python.look(pixels, (found, problem) => {
    if (found)
      explorer.ownPicture = { ...found, label: file.name, source: "your own picture, its middle at 32×32 pixels" };
    explorer.set(found ? { picture: "own", pictureProblem: null } : { pictureProblem: problem });
  });
}

function choiceView(explorer) {
  const { picture, pictureProblem } = explorer.state;
  const { images } = explorer.begin;
  return h(
    "div",
    { class: "thumbnails", role: "group", "aria-label": "images" },
    images.map(({ label, png }, at) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(picture === at),
          "aria-label": `${label}, image ${at + 1}`,
          onclick: () => explorer.set({ picture: at }),
        },
        h("img", { src: `data:image/png;base64,${png}`, alt: "", width: 56, height: 56 }),
      ),
    ),
    explorer.python
      ? h(
          "label",
          { class: "own-picture" },
          "A picture of your own",
          h("input", {
            type: "file",
            accept: "image/*",
            onchange: ({ target }) => target.files[0] && lookAt(target.files[0], explorer),
          }),
          pictureProblem ? h("span", { class: "why", role: "alert" }, pictureProblem) : null,
        )
      : h(
          "p",
          { class: "why" },
          "In a notebook, a picture of your own can be chosen, too: there the network runs live.",
        ),
  );
}

// One stage of the network: M_s over the picture, and M_c as bars.
function stageOfNetwork(explorer, picture, { name, Mc, Ms }, at, strength) {
  const weights = [...bytes(Mc)].map((byte) => 1 - strength * (1 - byte / 255));
  const map = [...bytes(Ms)].map((byte) => 1 - strength * (1 - byte / 255));
  const side = Math.sqrt(map.length);
  const range = (values) => `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
  const canvas = h("canvas", {
    width: LARGE,
    height: LARGE,
    role: "img",
    "data-key": `canvas-${at}`,
    "aria-label": `M_s of ${name} over the picture, ${range(map)}`,
  });
  explorer.afterDrawing(`canvas-${at}`, (shown) =>
    paint(shown, picture.png, (context) => paintMap(context, map, side, explorer.theme)),
  );
  return h(
    "figure",
    {},
    h("figcaption", {}, h("strong", {}, `Stage ${at + 1}`), ` ${weights.length} channels, ${side}×${side}`),
    canvas,
    h("p", { class: "range" }, "M", h("sub", {}, "s"), ` ${range(map)}`),
    barsView(weights, name, explorer.theme),
    h("p", { class: "range" }, "M", h("sub", {}, "c"), ` ${range(weights)}`),
  );
}

function barsView(weights, name, theme) {
  const width = LARGE / weights.length;
  return h(
    "svg",
    {
      viewBox: `0 0 ${LARGE} 80`,
      width: LARGE,
      height: 80,
      class: "bars",
      role: "img",
      "aria-label": `M_c of ${name}, one bar per channel`,
    },
    weights.map((weight, at) =>
      h("rect", {
        x: (at * width).toFixed(2),
        y: 80 - 80 * weight,
        width: Math.max(0.8, width * 0.8).toFixed(2),
        height: 80 * weight,
        fill: coloursOf(weight, "attention", 1, theme).background,
      }),
    ),
  );
}

function strengthView(explorer, strength) {
  const id = `${explorer.id}-strength`;
  const said =
    strength === 1
      ? "on: the network as it is"
      : strength === 0
        ? "off: every weight is 1"
        : `${Math.round(100 * strength)}% of it`;
  return h(
    "div",
    { class: "strength" },
    h("label", { for: id }, "Attention"),
    h("input", {
      id,
      type: "range",
      min: 0,
      max: 10,
      step: 1,
      value: Math.round(10 * strength),
      "aria-valuetext": said,
      oninput: (event) => explorer.set({ strength: Number(event.target.value) / 10 }),
    }),
    h("output", { for: id }, said),
    h(
      "p",
      { class: "why" },
      "Each weight M becomes 1 − s (1 − M). This network was trained with attention on; with it off, the later layers are ",
      "given larger numbers than they have ever seen. So this shows what the network relies on, not how a network without ",
      "attention would do.",
    ),
  );
}

function heatView(explorer, picture) {
  const heat = bytes(picture.heat);
  const canvas = h("canvas", {
    width: LARGE,
    height: LARGE,
    role: "img",
    "data-key": "canvas-heat",
    "aria-label": "Grad-CAM over the picture",
  });
  explorer.afterDrawing("canvas-heat", (shown) =>
    paint(shown, picture.png, (context) => {
      paintMap(
        context,
        [...heat].map((byte) => byte / 255),
        SIZE,
        explorer.theme,
      );
      if (picture.outline) paintOutline(context, bytes(picture.outline));
    }),
  );
  return h(
    "figure",
    {},
    h(
      "figcaption",
      {},
      h("strong", {}, "Grad-CAM"),
      ` of the likeliest class, ${likeliest(picture)}${picture.outline ? ", and the object's outline" : ""}`,
    ),
    canvas,
  );
}

function likeliest({ classes, probabilities }) {
  const row = probabilities.at(-1);
  return classes[row.indexOf(Math.max(...row))];
}

function probabilitiesView({ classes, label, probabilities }, strength) {
  const row = probabilities[Math.round(10 * strength)];
  return h(
    "table",
    { class: "probabilities" },
    h("caption", {}, "Probabilities"),
    h(
      "tbody",
      {},
      classes.map((name, at) =>
        h(
          "tr",
          { class: name === label ? "true" : null },
          h("th", { scope: "row" }, name, name === label ? h("span", { class: "note" }, " ✓") : null),
          h("td", {}, h("span", { class: "share", style: `width:${(90 * row[at]).toFixed(1)}px` }), row[at].toFixed(2)),
        ),
      ),
    ),
  );
}
