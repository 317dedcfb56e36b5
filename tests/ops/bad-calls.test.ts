// Whatever is passed to a public function, what comes out is a result or a typed error of one line that names the function;
// nothing leaks, and the next result is right.
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";

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

// the first of each list is what a failure is shrunk to
const anyTensor = fc.constantFrom(...tensors);
const anyValue = fc.oneof(
  { weight: 50, arbitrary: anyTensor },
  { weight: 16, arbitrary: fc.constantFrom(...numbers) },
  { weight: 10, arbitrary: fc.constantFrom(...shapes) },
  { weight: 10, arbitrary: fc.constantFrom(...strange) },
  { weight: 9, arbitrary: optionsOf(fc.constantFrom<unknown>(...numbers, ...shapes, ...strange, ...tensors)) },
  { weight: 5, arbitrary: fc.tuple(anyTensor, anyTensor) },
);
const anyCall = fc.tuple(fc.constantFrom(...functions), fc.array(anyValue, { maxLength: 4, size: "max" }));

function optionsOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc.array(fc.tuple(fc.constantFrom(...names), value), { minLength: 1, maxLength: 2, size: "max" }).map((entries) => Object.fromEntries(entries));
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

const live = (): number => tapir.memory.stats().tensors;

/** Whether the call ended with a typed error; throws what is wrong with it. */
function isRefused(f: (...args: unknown[]) => unknown, args: unknown[]): boolean {
  const before = live();
  const started = performance.now();
  let refused = false;
  try {
    scope(() => {
      const result = f(...args);
      if (result instanceof Promise) result.catch(() => undefined);
      tensorsIn(result);
    });
  } catch (error) {
    refused = true;
    if (!(error instanceof tapir.TapirError)) throw new Error(`${(error as Error)?.name}: ${(error as Error)?.message}`);
    if (/\n/.test(error.message)) throw new Error(`more than one line: ${error.message}`);
    if (!/^\w+: /.test(error.message)) throw new Error(`no name in front: ${error.message}`);
  }
  const took = performance.now() - started;
  if (took > 2000) throw new Error(`took ${Math.round(took)} ms`);
  // what requires a gradient is recorded, and lives as long as its step
  if (live() > before && !tensorsIn(args).some((t) => t.requiresGrad)) throw new Error(`${live() - before} tensors leak`);
  return refused;
}

test(`${CALLS} random calls: only typed errors of one line, nothing leaks`, () => {
  tapir.configure({ maxMemory: 2 ** 28 });
  const [a, b] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])]; // biome-ignore format: a matrix
  let calls = 0;
  let refused = 0;
  const wellBehaved = fc.property(anyCall, ([[, f], args]) => {
    if (isRefused(f, args)) refused++;
    if (calls++ % 5000 === 0) assert.equal(a.matmul(b).toArray(), [[19, 22], [43, 50]]); // biome-ignore format: a matrix
  });
  const outcome = fc.check(wellBehaved, { seed: SEED, numRuns: CALLS });
  if (outcome.counterexample !== null) {
    const [[name], args] = outcome.counterexample[0];
    const wrong = outcome.errorInstance instanceof Error ? outcome.errorInstance.message : String(outcome.errorInstance);
    assert.unreachable(`seed ${SEED}, path ${outcome.counterexamplePath}, ${outcome.numShrinks} shrinks: ${name}(${args.map(show).join(", ")}): ${wrong}`);
  }
  assert.is(outcome.numRuns, CALLS);
  assert.ok(refused > CALLS / 2, `only ${refused} of the calls were wrong`);
});

test.run();
