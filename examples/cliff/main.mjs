// The cliff of a recurrent network, and what clipping does at it (Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural
// networks", figure 6; Goodfellow et al. 2016, section 8.2.4). A unit x <- w sigmoid(x) + b begins at 0.5 and is to be at 0.7 after 50 steps; gradient
// descent learns w and b. Where the recurrence changes from one resting point to another the loss has a wall, at whose foot the gradient
// is some thousand times longer than around: one step of it throws the weights out of the valley for good. A clipped step keeps its direction, and stays.
//
//   node examples/cliff/main.mjs [--quick] [--out DIR]
//
// --quick takes half the steps.
import { layers, mseLoss, noGrad, optim, tensor, train } from "../../dist/index.js";
import { options } from "../options.mjs";
import { contourPanel, linePanel, savePlot, surface } from "../plot.mjs";

const given = options(import.meta.url);
const LENGTH = 50; // steps of the recurrence
const START = { w: 5.5, b: -2.4 };
const RATE = 0.2;
const MOST = 0.5; // norm of a clipped gradient
const steps = given.quick ? 100 : 200;
const float64 = (numbers, settings) => tensor(Float64Array.from(numbers), settings);

/** Where the unit is after all steps, from x. */
function recur(x, w, b) {
  let state = x;
  for (let t = 0; t < LENGTH; t++) state = state.sigmoid().mul(w).add(b);
  return state.sigmoid();
}

class Unit extends layers.Module {
  constructor({ w, b }) {
    super();
    this.w = float64([w], { requiresGrad: true });
    this.b = float64([b], { requiresGrad: true });
  }

  forward(x) {
    return recur(x, this.w, this.b);
  }
}

const TARGET = 0.7;
const example = [float64([0.5]), float64([TARGET])];

/** The losses at these weights. */
function lossesAt(ws, bs) {
  return noGrad(() =>
    recur(float64([0.5]), float64(ws), float64(bs))
      .sub(TARGET)
      .square()
      .data(),
  );
}

async function descend(clip) {
  const model = new Unit(START);
  const path = [[START.w, START.b]];
  const history = await train.fit(model, Array(steps).fill(example), {
    loss: mseLoss,
    optimizer: new optim.SGD(model.parameters(), { lr: RATE }),
    clip,
    callbacks: [{ onStepEnd: () => void path.push([model.w.item(), model.b.item()]) }],
  });
  return { path, losses: history.losses, norms: history.gradientNorms };
}

const runs = { "without clipping": await descend(Number.POSITIVE_INFINITY), [`clipped to the norm ${MOST}`]: await descend(MOST) };
const longest = {};
for (const [name, { path, losses, norms }] of Object.entries(runs)) {
  longest[name] = norms.indexOf(Math.max(...norms));
  const [w, b] = path.at(-1);
  console.log(
    `${name.padEnd(24)} longest gradient ${norms[longest[name]].toFixed(0).padStart(5)} at step ${longest[name] + 1}   at the end: loss ${losses.at(-1).toPrecision(2)}, w ${w.toFixed(2)}, b ${b.toFixed(2)}`,
  );
}

/** The loss on the line through the foot of the wall along the gradient; positive the way down. */
function crossSection() {
  const { path } = runs["without clipping"];
  const [w, b] = path[longest["without clipping"]];
  const model = new Unit({ w, b });
  mseLoss(model.forward(example[0]), example[1]).backward();
  const [dw, db] = [model.w.grad.item(), model.b.grad.item()];
  const length = Math.hypot(dw, db);
  const distances = Array.from({ length: 601 }, (_, i) => -0.1 + (0.5 * i) / 600);
  const losses = lossesAt(
    distances.map((d) => w - (d * dw) / length),
    distances.map((d) => b - (d * db) / length),
  );
  return { points: distances.map((x, i) => ({ series: "loss", x, y: losses[i] })), length };
}

const section = crossSection();
const series = (pick) => Object.entries(runs).flatMap(([name, run]) => pick(run).map((y, i) => ({ series: name, x: i + 1, y })));
const plot = given.place("cliff.svg");
await savePlot(plot, {
  title: "The cliff of a recurrent unit",
  subtitle: [
    `x <- w sigmoid(x) + b, ${LENGTH} times from 0.5, is to end at ${TARGET};`,
    `gradient descent with the rate ${RATE} from w ${START.w}, b ${START.b}. Up to the wall the two go together.`,
  ],
  panels: [
    contourPanel({
      title: "The paths over the loss; one leaves to the upper right",
      ground: surface({ f: lossesAt, x: [3.5, 6], y: [-2.9, -1.5], levels: [0.002, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4] }),
      ...{ titles: ["w", "b"], width: 380, legend: false },
      paths: Object.entries(runs).map(([name, { path }]) => ({ series: name, points: path })),
      marks: [{ x: START.w, y: START.b, label: "start" }],
    }),
    linePanel({
      title: "Along the gradient at the foot of the wall",
      ...{ x: "distance the way down", y: "loss", points: section.points, domainX: [-0.1, 0.4] },
      rules: [
        { x: 0, label: "here" },
        { x: RATE * MOST, label: `a clipped step; the other goes ${(RATE * section.length).toFixed(0)} far` },
      ],
    }),
    linePanel({ title: "Loss", x: "step", y: "loss", scaleY: "log", domainY: [1e-5, 1], points: series(({ losses }) => losses) }),
    linePanel({
      title: "Norm of the gradient before clipping",
      ...{ x: "step", y: "norm", scaleY: "log", domainY: [1e-3, 1e4], legend: false },
      points: series(({ norms }) => norms),
    }),
  ],
});
console.log(`plot ${plot}`);
