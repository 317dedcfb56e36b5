// All optimizers on four functions of two variables: Rosenbrock's valley (1960), Beale's function (1958), a saddle between two minima, and a narrow
// valley across the axes. Each goes with the rate of a fixed list that brings it down in the fewest steps without leaving the panel; the table says
// which, and how many. What to look for: gradient descent runs into the saddle before it turns, what scales each axis by itself leaves sideways at
// once; but the narrow valley lies across the axes, where that is of no use: Adagrad crawls, with the full matrix it turns with the valley.
//
//   node examples/optimizers/main.mjs [--quick] [--out DIR]
//
// --quick takes a tenth of the steps and one rate.
import { compile, noGrad, optim, tensor } from "../../dist/index.js";
import { options } from "../options.mjs";
import { contourPanel, savePlot, surface } from "../plot.mjs";

const given = options(import.meta.url);
const STEPS = given.quick ? 30 : 300;
const RATES = given.quick ? [0.03] : [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const DOWN = 1e-3; // above the minimum: there it counts as reached

const { Adadelta, Adagrad, Adam, AdamW, Adamax, AMSGrad, FullMatrixAdagrad, LBFGS, Lion, Muon, NAdam, RAdam, RMSprop, SGD } = optim;
const FAMILIES = {
  "gradient descent": {
    SGD: (p, lr) => new SGD(p, { lr }),
    momentum: (p, lr) => new SGD(p, { lr, momentum: 0.9 }),
    Nesterov: (p, lr) => new SGD(p, { lr, momentum: 0.9, nesterov: true }),
  },
  "sums of squares": {
    Adagrad: (p, lr) => new Adagrad(p, { lr }),
    FullMatrixAdagrad: (p, lr) => new FullMatrixAdagrad(p, { lr }),
    RMSprop: (p, lr) => new RMSprop(p, { lr }),
    Adadelta: (p, lr) => new Adadelta(p, { lr }),
  },
  "Adam and its kin": {
    Adam: (p, lr) => new Adam(p, { lr }),
    AdamW: (p, lr) => new AdamW(p, { lr }),
    AMSGrad: (p, lr) => new AMSGrad(p, { lr }),
    Adamax: (p, lr) => new Adamax(p, { lr }),
    NAdam: (p, lr) => new NAdam(p, { lr }),
    RAdam: (p, lr) => new RAdam(p, { lr }),
  },
  others: {
    Lion: (p, lr) => new Lion(p, { lr }),
    Muon: (p, lr) => new Muon(p, { lr, weightDecay: 0 }),
    LBFGS: (p, lr) => new LBFGS(p, { lr, maxIter: 1, lineSearchFn: "strongWolfe" }),
  },
};

/** f of tensors x and y, 0 at its minimum. */
const FUNCTIONS = {
  Rosenbrock: {
    f: (x, y) => x.sub(1).square().add(y.sub(x.square()).square().mul(100)),
    ...{ start: [-1.5, 2.2], x: [-2, 2], y: [-1, 3], minima: [[1, 1]], levels: [0.3, 2, 8, 30, 100, 300, 800, 2000] },
  },
  Beale: {
    f: (x, y) =>
      [1.5, 2.25, 2.625]
        .map((c, i) =>
          x
            .mul(y.pow(i + 1))
            .sub(x)
            .add(c)
            .square(),
        )
        .reduce((a, b) => a.add(b)),
    ...{ start: [0.8, -1.1], x: [-0.5, 4], y: [-1.5, 2], minima: [[3, 0.5]], levels: [0.1, 0.5, 2, 6, 15, 40, 120, 1000] },
  },
  saddle: {
    f: (x, y) => x.square().add(y.square().sub(2).square().div(4)),
    ...{
      start: [-1.7, 0.01],
      x: [-2, 2],
      y: [-2, 2],
      minima: [
        [0, Math.SQRT2],
        [0, -Math.SQRT2],
      ],
      levels: [0.1, 0.3, 0.6, 1, 1.5, 2.2, 3, 4],
    },
  },
  "narrow valley": {
    f: (x, y) => x.add(y).square().add(x.sub(y).square().mul(100)).div(4),
    ...{ start: [-1.2, -1.8], x: [-2, 2], y: [-2, 2], minima: [[0, 0]], levels: [0.3, 1.5, 6, 20, 50, 100, 200, 400] },
  },
};

/** Where an optimizer goes with a rate, and the heights there; shorter if it leaves for infinity. */
function descend({ f, start }, make, lr) {
  const p = tensor([start], { dtype: "float64", requiresGrad: true });
  const optimizer = make([p], lr);
  const loss = () => {
    optimizer.zeroGrad();
    const height = f(...p.split(1, { axis: 1 })).sum();
    height.backward();
    return height;
  };
  const step = stepping(optimizer, loss);
  const path = [start];
  const heights = [];
  while (path.length <= STEPS) {
    heights.push(step());
    const point = Array.from(p.data());
    if (!point.every((c) => Math.abs(c) < 1e6)) break;
    path.push(point);
  }
  const reached = heights.findIndex((height) => height < DOWN);
  return { lr, path, steps: reached < 0 ? Number.POSITIVE_INFINITY : reached, last: path.length > STEPS ? heights.at(-1) : Number.POSITIVE_INFINITY };
}

/** A function that takes a step and answers the height before. */
function stepping(optimizer, loss) {
  // a line search reads heights
  if (optimizer instanceof LBFGS) return () => optimizer.step(loss);
  const both = () => {
    const height = loss();
    optimizer.step();
    return height;
  };
  // what reads elements, as the roots of a matrix do, cannot be a program
  const program = optimizer instanceof FullMatrixAdagrad ? both : compile(both);
  return () => program().item();
}

/**
 * The descent with the rate that is best: by the steps to the minimum, or else by the height at the end. A rate with which the path leaves the
 * panel is too high, unless every rate is.
 */
function best(problem, make) {
  const runs = RATES.map((lr) => descend(problem, make, lr));
  const within = ([x, y]) => x >= problem.x[0] && x <= problem.x[1] && y >= problem.y[0] && y <= problem.y[1];
  const calm = runs.filter(({ path }) => path.every(within));
  return (calm.length > 0 ? calm : runs).sort((a, b) => (a.steps === b.steps ? a.last - b.last : a.steps - b.steps))[0];
}

const NAMES = Object.values(FAMILIES).flatMap((family) => Object.keys(family));
const WIDTH = Math.max(...NAMES.map((name) => name.length));
console.log(
  `steps to ${DOWN} above the minimum (and the rate)\n${"".padEnd(WIDTH)}${Object.keys(FUNCTIONS)
    .map((name) => name.padStart(19))
    .join("")}`,
);
const found = {};
for (const family of Object.values(FAMILIES)) {
  for (const [name, make] of Object.entries(family)) {
    found[name] = Object.fromEntries(Object.entries(FUNCTIONS).map(([title, problem]) => [title, best(problem, make)]));
    const cells = Object.values(found[name]).map(({ steps, lr }) => `${steps === Number.POSITIVE_INFINITY ? `> ${STEPS}` : steps} (${lr})`.padStart(19));
    console.log(`${name.padEnd(WIDTH)}${cells.join("")}`);
  }
}

const panels = Object.entries(FUNCTIONS).flatMap(([title, { f, minima, start, ...shown }], row) => {
  const ground = surface({ ...shown, f: (xs, ys) => noGrad(() => f(...[xs, ys].map((list) => tensor(list, { dtype: "float64" }))).data()) });
  return Object.entries(FAMILIES).map(([family, makers], column) =>
    contourPanel({
      ground,
      title: row === 0 ? [family, title] : title,
      paths: Object.keys(makers).map((name) => ({ series: name, points: found[name][title].path })),
      marks: [...minima.map(([x, y]) => ({ x, y, label: "" })), { x: start[0], y: start[1], label: column === 0 ? "start" : "" }],
      legend: row === Object.keys(FUNCTIONS).length - 1 && 2,
    }),
  );
});
const plot = given.place("optimizers.svg");
await savePlot(plot, {
  title: "Optimizers on functions of two variables",
  subtitle: [
    `${STEPS} steps, each with the rate that brings it down first and stays in the panel; crosses: the start and the minima,`,
    "dots: where a path ends",
  ],
  rowSpacing: 64,
  columns: Object.keys(FAMILIES).length,
  panels,
});
console.log(`plot ${plot}`);
