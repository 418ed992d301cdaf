// Pixels: pictures that are painted, and one that is read.

import { coloursOf } from "./colours.js";
import { h } from "./dom.js";

export const SIZE = 32; // pixels of an image, across and down
export const LARGE = 224; // pixels of a picture on the screen

export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Paint a picture in grey, and then what belongs on it.
export function paint(canvas, png, over) {
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

export function paintMap(context, map, side, theme) {
  const cell = LARGE / side;
  context.globalAlpha = 0.6;
  map.forEach((value, at) => {
    context.fillStyle = coloursOf(value, "attention", 1, theme).background;
    context.fillRect((at % side) * cell, Math.floor(at / side) * cell, cell, cell);
  });
  context.globalAlpha = 1;
}

// Draw the border between what belongs to the object and what does not.
export function paintOutline(context, mask) {
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

// Bring a picture of one's own to 32×32 pixels, its middle square. Returns {pixels} as text, or {problem}.
export async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { problem: `${file.name} is not a picture that this browser can read` };
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
  return { pixels: btoa(rgb) };
}
