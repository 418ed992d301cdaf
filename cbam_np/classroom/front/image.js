// A network's attention on real images, from "off", where every weight is 1, to "on".

import { coloursOf } from "./colours.js";
import { h } from "./dom.js";

const SIZE = 32; // pixels of an image, across and down
const LARGE = 224; // pixels of a picture on the screen

export function imageView(explorer) {
  const picture = explorer.pictureShown();
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

function choiceView(explorer) {
  const { picture } = explorer.state;
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
    explorer.calculator.look
      ? h(
          "label",
          { class: "own-picture" },
          "A picture of your own",
          h("input", {
            type: "file",
            accept: "image/*",
            onchange: (event) => readPicture(event.target.files[0], explorer),
          }),
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

// --- painting ---

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Paint a picture in grey, and then what belongs on it.
function paint(canvas, png, over) {
  const image = new Image();
  image.onload = () => {
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.filter = "grayscale(1)";
    context.drawImage(image, 0, 0, LARGE, LARGE);
    context.filter = "none";
    over(context);
  };
  image.src = `data:image/png;base64,${png}`;
}

function paintMap(context, map, side, theme) {
  const cell = LARGE / side;
  context.globalAlpha = 0.6;
  map.forEach((value, at) => {
    context.fillStyle = coloursOf(value, "attention", 1, theme).background;
    context.fillRect((at % side) * cell, Math.floor(at / side) * cell, cell, cell);
  });
  context.globalAlpha = 1;
}

// Draw the border between what belongs to the object and what does not.
function paintOutline(context, mask) {
  const cell = LARGE / SIZE;
  const isIn = (x, y) => x >= 0 && y >= 0 && x < SIZE && y < SIZE && mask[y * SIZE + x] > 0;
  context.fillStyle = "#fff";
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      if (!isIn(x, y)) continue;
      if (!isIn(x - 1, y)) context.fillRect(x * cell - 1, y * cell, 2, cell);
      if (!isIn(x + 1, y)) context.fillRect((x + 1) * cell - 1, y * cell, 2, cell);
      if (!isIn(x, y - 1)) context.fillRect(x * cell, y * cell - 1, cell, 2);
      if (!isIn(x, y + 1)) context.fillRect(x * cell, (y + 1) * cell - 1, cell, 2);
    }
  }
}

// Bring a picture of one's own to 32×32 pixels, its middle square, and ask the network about it.
async function readPicture(file, explorer) {
  if (!file) return;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return explorer.set({ pictureProblem: `${file.name} is not a picture that this browser can read` });
  }
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = h("canvas", { width: SIZE, height: SIZE });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIZE, SIZE);
  const rgba = context.getImageData(0, 0, SIZE, SIZE).data;
  const rgb = Array.from({ length: 3 * SIZE * SIZE }, (_, n) =>
    String.fromCharCode(rgba[4 * Math.floor(n / 3) + (n % 3)]),
  ).join("");
  explorer.lookAt(btoa(rgb), file.name);
}
