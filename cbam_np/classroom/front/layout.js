// Room for everything: frame and stage are scaled to the room that they have, so that nothing has to scroll.

const NARROW = 760; // pixels; below, everything is one column
const LOW = 520;
const LARGEST = { stage: 1.9, frame: 1.9 };

// Decide between a screen and a column, and scale what is to fit.
export function layOut(root) {
  if (!root.clientWidth) return; // not on the screen yet, or not any more
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

// Maps stand side by side or above one another, whichever comes out larger.
function fitInto(box, isNarrow) {
  const content = box.firstElementChild;
  const most = LARGEST[box.dataset.fits];
  const arrangements = box.dataset.fits === "frame" ? [""] : isNarrow ? ["stacked"] : ["side-by-side", "stacked"];
  const scales = arrangements.map((arrangement) => {
    arrange(content, arrangement);
    const width = box.clientWidth / content.offsetWidth;
    return Math.min(most, isNarrow ? Math.min(1, width) : Math.min(width, box.clientHeight / content.offsetHeight));
  });
  const best = scales.indexOf(Math.max(...scales));
  arrange(content, arrangements[best]);
  const scale = scales[best];
  content.setAttribute("data-fit", scale.toFixed(3));
  if (isNarrow) {
    box.style.height = `${Math.ceil(content.offsetHeight * scale)}px`;
    content.style.transform = `scale(${scale}) translateX(-50%)`;
  } else {
    box.style.height = "";
    content.style.transform = `translate(-50%, -50%) scale(${scale})`;
  }
}

function arrange(content, one) {
  for (const name of ["side-by-side", "stacked"]) content.classList.toggle(name, name === one);
}
