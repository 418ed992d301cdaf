// The explorer: its state, what can be done with it, and its picture as a whole.

import { judge, judgeBox } from "./answers.js";
import { changed } from "./changes.js";
import { morph } from "./dom.js";
import { nudgeOf } from "./formula.js";
import { drawArrows, edgesOf, rowsOf } from "./frame.js";
import { press } from "./keys.js";
import { layOut } from "./layout.js";
import { read } from "./numbers.js";
import { cameFrom, goesTo, keyOf, valueIn } from "./origin.js";
import { shellView } from "./shell.js";
import { firstState, givenOf, outputGradient } from "./state.js";
import { allIndices } from "./rules.js";
import { stepsOf } from "./steps.js";
import { sizesOf } from "./twin.js";
import { cellName, stagesOf } from "./words.js";

let count = 0;

function exampleOf({ numbers, choices }) {
  return structuredClone({ numbers, given: givenOf({ numbers, choices }), choices });
}

export class Explorer {
  // `calculator` computes examples, see README.md; `kept` is a state from an address; `onState` is told of changes.
  constructor(root, begin, calculator, { kept = null, onState = null } = {}) {
    this.id = `cbam-${++count}`;
    this.root = root;
    this.begin = begin;
    this.calculator = calculator;
    this.onState = onState;
    this.first = firstState(begin);
    this.state = kept ?? structuredClone(this.first);
    this.verdicts = {}; // of predictions, by the cell's name
    this.told = []; // of the answer box, one for each row
    this.others = new Map(); // traces to compare with
    root.classList.add("cbam-explorer");
    root.addEventListener("keydown", (event) => press(this, event));
    this.recalculate({ begins: true });
  }

  // --- what is calculated ---

  // An example as calculators know it: all numbers, those in use under the names of a trace, and the choices.
  get example() {
    return exampleOf(this.state);
  }

  recalculate({ begins = false } = {}) {
    const { example } = this;
    const steps = stepsOf(sizesOf(example.given), example.choices);
    this.calculator.calculate(example, (values, problem) => {
      this.problem = problem ?? null;
      if (problem) return this.draw();
      this.trace = { steps, values };
      this.others.clear();
      this.onward = null;
      if (begins) this.enter(this.state.at, this.state.cell);
      this.keepPlace();
      this.judgeEverything();
      this.draw();
    });
  }

  get outputGradient() {
    return outputGradient(this.state.choices);
  }

  // --- where we are ---

  get stages() {
    return stagesOf(this.state.choices, true);
  }

  get stage() {
    return this.stages.find(({ id }) => id === this.state.at) ?? this.stages[0];
  }

  get way() {
    return this.state.mode === "all" ? this.state.way : this.stage.way;
  }

  get place() {
    return this.stages.findIndex(({ id }) => id === this.stage.id);
  }

  // Other choices have other steps: stay where that is possible.
  keepPlace() {
    const { state, trace } = this;
    state.at = this.stage.id;
    const fits = ([name, index]) =>
      trace.steps.has(name) &&
      valueIn(trace.values)([name, index]) !== undefined &&
      !Array.isArray(valueIn(trace.values)([name, index]));
    if (state.cell && !fits(state.cell)) state.cell = this.firstCellOf(this.stage);
  }

  firstCellOf({ names, focus }) {
    const name = focus ?? names[0];
    const { shape } = this.trace.steps.get(name);
    return [name, shape.map((n, axis) => (name.endsWith("W7") && axis > 0 ? n >> 1 : 0))]; // of a kernel, its middle
  }

  enter(at, cell = null) {
    const stage = this.stages.find(({ id }) => id === at) ?? this.stages[0];
    this.state.at = stage.id;
    this.state.cell = cell ?? this.firstCellOf(stage);
  }

  go(step) {
    const at = this.stages[this.place + step];
    if (!at) return;
    this.enter(at.id);
    this.set({});
  }

  // Tell whether a step's numbers are not to be seen yet.
  isHidden(name) {
    const { mode } = this.state;
    if (mode === "all" || mode === "image" || !this.trace.steps.get(name).rule) return false;
    const at = this.stages.findIndex(({ names }) => names.includes(name));
    return at > this.place || (mode === "predict" && at === this.place);
  }

  // --- changes ---

  set(change) {
    this.nudged = null;
    Object.assign(this.state, change);
    if (change.mode === "all" && !this.state.cell) this.state.cell = ["F", [0, 0, 0]];
    if ("mode" in change && change.mode !== "image") this.state.way = this.stage.way;
    this.draw();
  }

  choose(cell) {
    if (this.isChosen(cell) && !this.nudged) return;
    this.set({ cell });
  }

  isChosen(cell) {
    return this.state.cell !== null && keyOf(cell) === keyOf(this.state.cell);
  }

  // In each array one cell can be reached with Tab: the chosen one, or the first. While walking, the frame's other steps
  // are passed over, so that Next is not far.
  isTabStop(cell, place) {
    const { cell: chosen, mode } = this.state;
    if (place !== "stage" && mode !== "all" && !this.stage.names.includes(cell[0])) return false;
    return chosen && chosen[0] === cell[0] ? this.isChosen(cell) : cell[1].every((i) => i === 0);
  }

  // What the convolution gives: scores, or where a normalisation follows, what it is given.
  get scores() {
    return this.trace.steps.has("y_s") ? "y_s" : "z_s";
  }

  // The pixel that the window is at.
  pixel() {
    const { cell } = this.state;
    return cell && cell[0] === this.scores
      ? cell[1]
      : (this.lastPixel ?? [0, 0]).map((i, axis) => Math.min(i, this.trace.steps.get(this.scores).shape[axis] - 1));
  }

  slide() {
    if (this.sliding) {
      clearInterval(this.sliding);
      this.sliding = null;
      return this.draw();
    }
    const pixels = allIndices(this.trace.steps.get(this.scores).shape);
    const next = () => {
      const at = pixels.findIndex((pixel) => String(pixel) === String(this.pixel()));
      if (!this.stage.window || this.state.mode === "image") return this.slide();
      this.set({ cell: [this.scores, pixels[(at + 1) % pixels.length]] });
    };
    this.sliding = setInterval(next, 900);
    next();
  }

  nudge(cell) {
    this.nudged = nudgeOf(cell, this.trace, this.state.choices);
    this.draw();
  }

  // --- comparing ---

  compare(against) {
    this.set({ against });
  }

  otherTrace(name, value) {
    const key = `${name}=${value}`;
    if (!this.others.has(key)) {
      this.others.set(key, null);
      const other = changed(this, name, value);
      const example = exampleOf(other);
      this.calculator.calculate(
        example,
        (values) => {
          if (values) this.others.set(key, { steps: stepsOf(sizesOf(example.given), example.choices), values });
          if (this.drawn) this.draw();
        },
        { aside: true },
      );
    }
    return this.others.get(key);
  }

  // --- answers ---

  predict(cell, text) {
    this.state.answers[cellName(cell)] = text;
    this.judgeEverything();
    this.draw();
  }

  verdictOn(cell) {
    return this.verdicts[cellName(cell)] ?? null;
  }

  answer(at, change) {
    const { asked } = this.state;
    asked[at] = { name: "", text: "", ...asked[at], ...change };
    while (asked.length && !asked.at(-1).name && !asked.at(-1).text) asked.pop();
    this.judgeAnswers();
  }

  judgeEverything() {
    const filled = Object.fromEntries(Object.entries(this.state.answers).filter(([, text]) => read(text)));
    this.verdicts = judge(filled, this.trace);
    this.told = judgeBox(this);
  }

  // What can be read is judged at once; a kernel that is asked may add the mistake's name a moment later.
  judgeAnswers() {
    this.told = judgeBox(this);
    if (this.drawn) this.draw();
  }

  verdictText(at) {
    return this.told[at] ?? null;
  }

  // Mistakes were computed for the example as it was at the beginning.
  isEdited() {
    return (
      JSON.stringify([this.state.numbers, this.state.choices]) !==
      JSON.stringify([this.first.numbers, this.first.choices])
    );
  }

  cellNames() {
    return [...this.trace.steps.values()]
      .filter(({ rule }) => rule)
      .flatMap(({ name, shape }) => allIndices(shape).map((index) => cellName([name, index])));
  }

  // --- images ---

  pictureShown() {
    return this.state.picture === "own"
      ? this.ownPicture
      : (this.begin.images[this.state.picture] ?? this.begin.images[0]);
  }

  lookAt(pixels, name) {
    this.calculator.look(pixels, (found, problem) => {
      if (found) this.ownPicture = { ...found, label: name, source: "your own picture, its middle at 32×32 pixels" };
      this.set(found ? { picture: "own", pictureProblem: null } : { pictureProblem: problem });
    });
  }

  // Have something painted when the elements are there.
  afterDrawing(key, paint) {
    this.paintings.push([key, paint]);
  }

  // --- lights ---

  lightOn(cell) {
    const distance = this.lights?.get(keyOf(cell));
    if (distance === undefined) return this.nudged?.grown.has(keyOf(cell)) ? "to" : "";
    if (distance === 0) return "chosen";
    return `${this.state.lens}${distance === 1 ? "" : " far"}`;
  }

  findLights() {
    const { cell, lens, deep } = this.state;
    if (!cell || !this.trace.steps.has(cell[0])) return null;
    return (lens === "from" ? cameFrom : goesTo)(cell, this.trace, deep ? Infinity : 1);
  }

  // --- the picture ---

  get theme() {
    return this.root.dataset.theme === "dark" ? "dark" : "light";
  }

  // Bring the screen to the state. A field that loses the focus meanwhile may ask for it again: once more, then.
  draw() {
    if (!this.trace) return;
    this.isStale = true;
    if (this.isDrawing) return;
    this.isDrawing = true;
    while (this.isStale) {
      this.isStale = false;
      this.drawOnce();
    }
    this.isDrawing = false;
    this.onState?.(this.state, this.first);
  }

  drawOnce() {
    if (this.state.cell?.[0] === this.scores) this.lastPixel = this.state.cell[1];
    this.lights = this.nudged ? new Map([[keyOf(this.nudged.cell), 0]]) : this.findLights();
    this.paintings = [];
    const tree = shellView(this);
    if (this.drawn) morph(this.drawn, tree);
    else this.root.replaceChildren((this.drawn = tree));
    for (const [key, paint] of this.paintings) paint(this.root.querySelector(`[data-key="${key}"]`));
    this.fit();
  }

  turnTheme() {
    this.root.dataset.theme = this.theme === "dark" ? "light" : "dark";
    this.draw();
  }

  fit() {
    layOut(this.root);
    const content = this.root.querySelector(".frame-content");
    if (!content) return;
    const rows = rowsOf(this.state.choices, this.way, this.trace.steps, this.inRows);
    drawArrows(
      content,
      edgesOf(rows, this.trace.steps, this.way),
      this.state.mode === "all" ? [] : this.stage.names,
      this.root.classList.contains("narrow"),
    );
  }

  get inRows() {
    return this.state.mode === "all";
  }
}
