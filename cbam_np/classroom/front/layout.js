// Room for everything: frame and stage are scaled to the room that they have, so that nothing has to scroll.

const NARROW = 760; // pixels; below, everything is one column
const LOW = 520;
const LARGEST = { stage: 1.9, frame: 1.9 };
const SMALLEST = 0.42; // scale at which the stage can be read
const WRAPPED = [1.9, 1.6, 1.4, 1.2, 1.05, 0.95, 0.85, 0.75, 0.65, 0.55]; // scales at which lines of arrays may break

// Decide between a screen and a column, and scale what is to fit.
export function layOut(root) {
  const isPage = root.classList.contains("page");
  const isNarrow = root.clientWidth < NARROW || (isPage && window.innerHeight < LOW);
  root.classList.toggle("narrow", isNarrow);
  root.style.setProperty("--room", `${Math.min(root.clientWidth, 600) - 28}px`);
  for (const box of root.querySelectorAll(".fitted")) fitInto(box, isNarrow);
  const text = root.querySelector(".formula-text");
  if (text && !isNarrow && !text.querySelector(".trail")) shrink(text);
}

// Take smaller letters until the text fits.
function shrink(box) {
  const line = box.firstElementChild;
  line.style.fontSize = "";
  for (
    let size = parseFloat(getComputedStyle(line).fontSize);
    size >= 12 && line.offsetHeight > box.clientHeight;
    size--
  ) {
    line.style.fontSize = `${size}px`;
  }
}

// Maps stand side by side or above one another, and arrays in one line or in several, whichever comes out larger.
function fitInto(box, isNarrow) {
  const content = box.firstElementChild;
  const [best, scale] = bestOf(arrangementsOf(box, content, isNarrow), box, isNarrow);
  if (!scale && box.arranged) {
    box.arranged = null; // what has been best fits no more
    return fitInto(box, isNarrow);
  }
  box.arranged = { key: keyOfRoom(box, content), best };
  content.setAttribute("data-fit", scale.toFixed(3));
  if (isNarrow) {
    box.style.height = `${Math.ceil(content.offsetHeight * scale)}px`;
    content.style.transform = `scale(${scale}) translateX(-50%)`;
  } else {
    box.style.height = "";
    content.style.transform = `translate(-50%, -50%) scale(${scale})`;
  }
}

// Try arrangements, keep the largest, and return it with its scale; 0 where an array is wider than its line.
function bestOf(arrangements, box, isNarrow) {
  const content = box.firstElementChild;
  const most = LARGEST[box.dataset.fits];
  const scales = arrangements.map((arrangement) => {
    arrange(content, arrangement);
    if (arrangement.width && content.scrollWidth > content.offsetWidth) return 0;
    const width = box.clientWidth / content.offsetWidth;
    return Math.min(most, isNarrow ? Math.min(1, width) : Math.min(width, box.clientHeight / content.offsetHeight));
  });
  const scale = Math.max(...scales);
  const best = arrangements[scales.indexOf(scale)];
  arrange(content, best);
  return [best, scale];
}

// The arrangements to be tried, {name, width}; the one that was best in the same room, once that is known.
function arrangementsOf(box, content, isNarrow) {
  if (box.dataset.fits === "frame") return [{ name: "" }];
  if (isNarrow) return [{ name: isSeenWhole(box, content) ? "in-lines" : "stacked" }];
  if (box.arranged?.key === keyOfRoom(box, content)) return [box.arranged.best];
  const wrapped = WRAPPED.map((scale) => ({ name: "wrapped", width: box.clientWidth / scale }));
  return [{ name: "side-by-side" }, { name: "stacked" }, ...(content.querySelector(".flow > .side") ? wrapped : [])];
}

// On a phone, maps above one another are larger; side by side, a tall step is still seen as a whole, if it can be read.
function isSeenWhole(box, content) {
  if (!content.querySelector(".flow > .side")) return false;
  arrange(content, { name: "stacked" });
  if (content.offsetHeight < 0.6 * window.innerHeight) return false;
  arrange(content, { name: "in-lines" });
  return box.clientWidth / content.offsetWidth >= SMALLEST;
}

function keyOfRoom(box, { dataset }) {
  return [box.clientWidth, box.clientHeight, dataset.stage, dataset.shape].join();
}

function arrange(content, { name, width }) {
  for (const known of ["side-by-side", "stacked", "wrapped", "in-lines"])
    content.classList.toggle(known, name === known);
  content.style.maxWidth = width ? `${width}px` : "";
}
