// The explorer: its state, what can be done with it, and its picture as a whole.

import { judgeBox } from "./answers.js";
import { askForConfirmation, computeHere } from "./confirm.js";
import { morph } from "./dom.js";
import { nudgeOf } from "./formula.js";
import { drawArrows, edgesOf, rowsOf } from "./frame.js";
import { judgePredictions } from "./judging.js";
import { press } from "./keys.js";
import { layOut } from "./layout.js";
import { cameFrom, goesTo, keyOf, valueIn } from "./origin.js";
import { shellView } from "./shell.js";
import { exampleOf, firstState, outputGradient } from "./state.js";
import { cellName, stagesOf } from "./words.js";

let count = 0;

export class Explorer {
  // `python` is a notebook's kernel, see README.md; `kept` is a state from an address; `onState` is told of changes.
  constructor(root, begin, { python = null, kept = null, onState = null } = {}) {
    this.id = `cbam-${++count}`;
    this.root = root;
    this.begin = begin;
    this.python = python;
    this.onState = onState;
    this.first = firstState(begin);
    this.state = kept ?? structuredClone(this.first);
    this.predicted = {}; // verdicts on predictions, by the cell's name
    this.rows = []; // of the answer box
    this.told = {}; // verdicts on them, by the cell's name
    this.others = new Map(); // traces to compare with
    root.classList.add("cbam-explorer");
    root.addEventListener("keydown", (event) => press(this, event));
    this.recalculate({ begins: true });
  }

  // --- what is calculated ---

  get example() {
    return exampleOf(this.state);
  }

  recalculate({ begins = false } = {}) {
    const { example } = this;
    this.trace = computeHere(example);
    this.problem = null;
    this.others.clear();
    if (begins) this.enter(this.state.at, this.state.cell);
    this.keepPlace();
    askForConfirmation(this, example);
    this.judgeEverything();
    this.draw();
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

  nudge(cell) {
    this.nudged = nudgeOf(cell, this.trace, this.state.choices);
    this.draw();
  }

  // --- answers ---

  predict(cell, text) {
    this.state.answers[cellName(cell)] = text;
    judgePredictions(this);
    this.draw();
  }

  // What is said of a prediction: {verdict, mistake, sentence}, or null.
  verdictOn(cell) {
    return this.predicted[cellName(cell)] ?? null;
  }

  judgeEverything() {
    judgePredictions(this);
    judgeBox(this);
  }

  // Mistakes were computed for the example as it was at the beginning.
  isEdited() {
    return (
      JSON.stringify([this.state.numbers, this.state.choices]) !==
      JSON.stringify([this.first.numbers, this.first.choices])
    );
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
    try {
      while (this.isStale) {
        this.isStale = false;
        this.drawOnce();
      }
    } finally {
      this.isDrawing = false;
    }
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

  // Have something painted when the elements are there.
  afterDrawing(key, paint) {
    this.paintings.push([key, paint]);
  }

  turnTheme() {
    this.root.dataset.theme = this.theme === "dark" ? "light" : "dark";
    this.draw();
  }

  // Scale and join what has been drawn, once there is room for it: before the root is on the screen, and while its tab is
  // hidden, nothing can be measured.
  fit() {
    if (!this.root.clientWidth) return;
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
