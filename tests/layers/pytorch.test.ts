// Outputs, gradients and buffers of every layer against PyTorch's: tests/fixtures/layers/*.py made the cases. State and inputs come from
// a formula and are exact in float32, so both dtypes are compared with the same numbers.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import { type DType, layers, type Tensor, tensor, zerosLike } from "../../ts-src/index.js";
import { assertClose } from "../assert-close.js";

const FOLDER = "tests/fixtures/layers";
const STATE_PHASE = 100;
const COTANGENT_PHASE = 50;
const CASES_PER_LAYER = 10;

interface Input {
  shape: number[];
  low: number;
  high: number;
  values?: number[];
  dtype?: DType;
}
/** A layer within the arguments of another. */
interface Recipe {
  layer: string;
  args: unknown[];
  options: Record<string, unknown> | null;
}
interface Case extends Recipe {
  train: boolean;
  weightNorm?: layers.WeightNormOptions;
  inputs: Record<string, Input>;
  call: unknown[];
  state: Record<string, number[]>;
  outputs: { shape: number[]; values: number[] }[];
  gradients: Record<string, number[]>;
  buffers: Record<string, number[]>;
}

/** The formula of cases.py. */
function wave(shape: readonly number[], phase: number, low: number, high: number, dtype: DType): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: n }, (_, i) => {
    const v = (i + 1) * 0.6180339887498949 + phase * 0.7548776662466927;
    return Math.fround(low + (v - Math.floor(v)) * (high - low));
  });
  return tensor(tensor(values).to(dtype).reshape(shape));
}

const stateless = new Set(["Flatten", "MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d"]);

function made({ layer, args, options }: Recipe, dtype: DType): layers.AnyModule {
  const nested = (value: unknown): unknown => (value !== null && typeof value === "object" && "layer" in value ? made(value as Recipe, dtype) : value);
  const own = Object.fromEntries(Object.entries(options ?? {}).map(([name, value]) => [name, nested(value)]));
  const wants = options !== null && !stateless.has(layer) && layer !== "TransformerEncoder";
  const kind = (layers as unknown as Record<string, new (...args: unknown[]) => layers.AnyModule>)[layer];
  assert.type(kind, "function", `layers.${layer}`);
  return new kind(...args.map(nested), ...(options === null ? [] : [wants ? { ...own, dtype } : own]));
}

function resolved(value: unknown, tensors: Record<string, Tensor>, batchFirst: boolean): unknown {
  const again = (item: unknown): unknown => resolved(item, tensors, batchFirst);
  if (typeof value === "string" && value.startsWith("$")) return tensors[value.slice(1)];
  if (Array.isArray(value)) return value.map(again);
  if (value === null || typeof value !== "object") return value;
  if ("pack" in value && "lengths" in value) {
    return layers.packPaddedSequence(again(value.pack) as Tensor, value.lengths as number[], { batchFirst, enforceSorted: false });
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, again(item)]));
}

function padded(output: unknown, batchFirst: boolean): unknown {
  if (output === null || typeof output !== "object" || !Array.isArray(output)) return output;
  return output.map((part) => (part !== null && "batchSizes" in part ? layers.padPackedSequence(part, { batchFirst })[0] : part));
}

const tolerances = { float64: { rtol: 1e-10, share: 1e-12 }, float32: { rtol: 1e-4, share: 1e-5 } };

function compare(actual: Tensor, expected: readonly number[], dtype: "float32" | "float64", label: string): void {
  const { rtol, share } = tolerances[dtype];
  const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  // beside rtol, a share of the largest number: what cancels keeps the error of its terms
  assertClose(actual.data(), expected, { rtol, atol: share * largest }, label);
}

function check(one: Case, dtype: "float32" | "float64"): void {
  const label = `${one.layer} ${dtype} ${JSON.stringify({ args: one.args, options: one.options, weightNorm: one.weightNorm, call: one.call, train: one.train })}`;
  const module = made(one, dtype).train(one.train);
  if (one.weightNorm !== undefined) layers.weightNorm(module, one.weightNorm);
  const state = module.stateDict();
  assert.equal(Object.keys(state), Object.keys(one.state), `${label}: names of the state`);
  for (const [name, shape] of Object.entries(one.state)) assert.equal(state[name].shape, shape, `${label}: shape of ${name}`);
  const values = Object.entries(state).map(([name, t], i): [string, Tensor] => {
    const [low, high] = name.endsWith("running_var") ? [0.5, 2] : [-0.6, 0.6];
    return [name, t.dtype === dtype ? wave(t.shape, STATE_PHASE + i, low, high, dtype) : t];
  });
  module.loadStateDict(Object.fromEntries(values));
  const tensors = Object.fromEntries(
    Object.entries(one.inputs).map(([name, input], i) => {
      if (input.values === undefined) {
        const t = wave(input.shape, i, input.low, input.high, dtype);
        t.requiresGrad = true;
        return [name, t];
      }
      return [name, tensor(Float64Array.from(input.values)).to(input.dtype as DType).reshape(input.shape)]; // biome-ignore format: short
    }),
  );
  const batchFirst = one.options?.batchFirst === true;
  const output = module.forward(...(resolved(one.call, tensors, batchFirst) as never[]));
  const outputs = tensorsIn(padded(output, batchFirst));
  assert.is(outputs.length, one.outputs.length, `${label}: number of outputs`);
  let total: Tensor | undefined;
  for (const [i, y] of outputs.entries()) {
    assert.equal(y.shape, one.outputs[i].shape, `${label}: shape`);
    compare(y, one.outputs[i].values, dtype, `${label}: output ${i}`);
    const part = y.mul(wave(y.shape, COTANGENT_PHASE + i, -1, 1, dtype)).sum();
    total = total === undefined ? part : total.add(part);
  }
  if (total?.requiresGrad) total.backward();
  const leaves: Record<string, Tensor> = { ...tensors, ...state };
  assert.equal(
    Object.keys(leaves).filter((name) => leaves[name].requiresGrad),
    Object.keys(one.gradients),
    `${label}: what has a gradient`,
  );
  for (const [name, expected] of Object.entries(one.gradients)) {
    compare(leaves[name].grad ?? zerosLike(leaves[name]), expected, dtype, `${label}: gradient of ${name}`);
  }
  for (const [name, expected] of Object.entries(one.buffers)) compare(state[name], expected, dtype, `${label}: buffer ${name}`);
}

const cases = new Map<string, Case[]>();
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json") && !name.startsWith("models"))) {
  for (const one of JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Case[]) {
    const name = one.weightNorm === undefined ? one.layer : "weightNorm";
    cases.set(name, [...(cases.get(name) ?? []), one]);
  }
}

for (const [layer, list] of cases) {
  test(`${layer} has PyTorch's names, outputs, gradients and buffers in ${list.length} cases, in both dtypes`, () => {
    assert.ok(list.length >= CASES_PER_LAYER, `expected ${CASES_PER_LAYER} cases or more; got ${list.length}`);
    for (const one of list) {
      for (const dtype of ["float64", "float32"] as const) scope(() => check(one, dtype));
    }
  });
}

test.run();
