// Whatever is passed to a public function, what comes out is a result or a typed error of one line that names the function;
// nothing leaks, and the next result is right.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { Random } from "../draw.js";

const SEED = 20240607;
const CALLS = 100_000;
console.log(`seed ${SEED}`);

// these change the defaults of the process or run the user's own function
const APART = ["configure", "manualSeed", "wasmMemory", "keep", "scope", "noGrad", "detectAnomaly", "grad", "valueAndGrad", "gradcheck", "customOp"];
const functions = Object.entries(tapir).filter(
  (entry): entry is [string, (...args: unknown[]) => unknown] => typeof entry[1] === "function" && /^[a-z]/.test(entry[0]) && !APART.includes(entry[0]),
);

const { tensor } = tapir;
const float = (shape: number[], dtype: tapir.DType = "float32"): tapir.Tensor =>
  tapir
    .arange(
      0,
      shape.reduce((a, b) => a * b, 1),
      1,
      { dtype },
    )
    .reshape(shape);
const disposed = float([2]);
disposed.dispose();
const tensors = [
  float([]),
  float([3]),
  float([2, 3]),
  float([3, 2]).transpose(),
  float([4, 5]),
  float([2, 3, 4]),
  float([1, 2, 5, 5]),
  float([0]),
  float([2, 0, 3]),
  float([2, 3], "float64"),
  float([3], "float64"),
  float([3], "int32"),
  float([2, 3], "int32"),
  tensor([9, -9, 100], { dtype: "int32" }),
  tensor([2147483647, -2147483648], { dtype: "int32" }),
  float([2, 2], "uint8"),
  tensor([true, false, true]),
  tensor([Number.NaN, Number.POSITIVE_INFINITY, -0]),
  tensor([[1, 2, 3]], { requiresGrad: true }),
  disposed,
];
const numbers = [0, 1, 2, 3, -1, -2, -7, 0.5, 1e10, -1e300, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY];
const shapes = [
  [],
  [2],
  [3, 2],
  [0],
  [-1],
  [1.5],
  [2, -3],
  [65536, 65536],
  [2 ** 27, 2 ** 27],
  [Number.NaN],
  ["2"],
  [[1, 2]],
  [null],
  [undefined, 2],
  [1e300, 1e300],
];
const strange = [
  undefined,
  null,
  "",
  "float32",
  "ij,jk->ik",
  "i->",
  "...",
  true,
  {},
  [],
  Symbol.iterator,
  () => 1,
  new Date(0),
  10n,
  new Float32Array(3),
  "mean",
  Number,
];
const names = [
  "axis",
  "keepdims",
  "dtype",
  "reduction",
  "weight",
  "ignoreIndex",
  "labelSmoothing",
  "stride",
  "padding",
  "dilation",
  "groups",
  "eps",
  "training",
  "correction",
  "ord",
  "mode",
  "value",
  "depth",
  "descending",
  "approximate",
  "beta",
  "alpha",
  "p",
  "size",
  "scaleFactor",
  "requiresGrad",
  "unknownOption",
  "ceilMode",
  "largest",
  "offset",
  "mask",
  "isCausal",
];

const random = new Random(SEED);

function value(): unknown {
  const kind = random.unit();
  if (kind < 0.5) return random.pick(tensors);
  if (kind < 0.66) return random.pick(numbers);
  if (kind < 0.76) return random.pick(shapes);
  if (kind < 0.86) return random.pick(strange);
  if (kind < 0.95)
    return Object.fromEntries(
      Array.from({ length: random.integer(1, 2) }, () => [random.pick(names), random.pick([...numbers, ...shapes, ...strange, ...tensors])]),
    );
  return [random.pick(tensors), random.pick(tensors)];
}

function show(x: unknown): string {
  if (x instanceof tapir.Tensor) return x.describe();
  if (Array.isArray(x)) return `[${x.map(show).join(", ")}]`;
  if (x !== null && typeof x === "object" && Object.getPrototypeOf(x) === Object.prototype)
    return `{ ${Object.entries(x)
      .map(([k, v]) => `${k}: ${show(v)}`)
      .join(", ")} }`;
  return String(x);
}

test(`${CALLS} random calls: only typed errors of one line, nothing leaks`, () => {
  tapir.configure({ maxMemory: 2 ** 28 });
  const [a, b] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])]; // biome-ignore format: a matrix
  const trouble = new Map<string, string>();
  let errors = 0;
  // the first round lets scratch memory and the like reach their size
  const live = (): number => tapir.memory.stats().tensors;
  for (let call = 0; call < CALLS; call++) {
    const [name, f] = functions[call % functions.length];
    const args = Array.from({ length: random.integer(0, 4) }, value);
    const described = `${name}(${args.map(show).join(", ")})`;
    const complain = (what: string): void => {
      if (!trouble.has(`${name}: ${what.replace(/\d+/g, "#").slice(0, 60)}`))
        trouble.set(`${name}: ${what.replace(/\d+/g, "#").slice(0, 60)}`, `${described}: ${what}`);
    };
    const before = live();
    const started = performance.now();
    try {
      scope(() => {
        const result = f(...args);
        if (result instanceof Promise) result.catch(() => undefined);
        tensorsIn(result);
      });
    } catch (error) {
      errors++;
      if (!(error instanceof tapir.TapirError)) complain(`${(error as Error)?.name}: ${(error as Error)?.message}`);
      else if (/\n/.test(error.message)) complain(`more than one line: ${error.message}`);
      else if (!/^\w+: /.test(error.message)) complain(`no name in front: ${error.message}`);
    }
    if (performance.now() - started > 2000) complain(`took ${Math.round(performance.now() - started)} ms`);
    // what requires a gradient is recorded, and lives as long as its step
    const recorded = tensorsIn(args).some((t) => t.requiresGrad);
    if (live() > before && !recorded) complain(`${live() - before} tensors leak`);
    if (call % 5000 === 0) assert.equal(a.matmul(b).toArray(), [[19, 22], [43, 50]]); // biome-ignore format: a matrix
  }
  assert.ok(errors > CALLS / 2, `only ${errors} of the calls were wrong`);
  assert.is(trouble.size, 0, `${trouble.size} kinds of trouble\n${[...trouble.values()].slice(0, 60).join("\n")}`);
});

test.run();
