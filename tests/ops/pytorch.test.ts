// Values and gradients of every function against PyTorch's: tests/fixtures/ops/*.py made the cases. The inputs come from a
// formula and are exact in float32, so both dtypes are compared with the same numbers.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { scope, tensorsIn } from "../../bindings/lifetime.js";
import * as tapir from "../../ts-src/index.js";
import { assertClose } from "../assert-close.js";

const FOLDER = "tests/fixtures/ops";
const LARGE_PHASE = 50; // of the cotangents
const CASES_PER_FUNCTION = 15;

type Value = number | "nan" | "inf" | "-inf";
interface Input {
  shape: number[];
  phase: number;
  low: number;
  high: number;
  away: number;
  values?: Value[];
  dtype?: tapir.DType;
}
interface Case {
  fn: string;
  args: unknown[];
  inputs: Record<string, Input>;
  outputs: { shape: number[]; values: Value[] }[];
  gradients: Record<string, Value[]>;
}

/** The formula of cases.py. */
function wave(shape: readonly number[], phase: number, low: number, high: number, away: number): Float64Array {
  const n = shape.reduce((a, b) => a * b, 1);
  return Float64Array.from({ length: n }, (_, i) => {
    const v = (i + 1) * 0.6180339887498949 + phase * 0.7548776662466927;
    const x = low + (v - Math.floor(v)) * (high - low);
    return Math.fround(Math.abs(x) < away ? (x < 0 ? x - away : x + away) : x);
  });
}

function plain(values: readonly Value[]): number[] {
  return values.map((v) => (v === "nan" ? Number.NaN : v === "inf" ? Number.POSITIVE_INFINITY : v === "-inf" ? Number.NEGATIVE_INFINITY : v));
}

function made(input: Input, dtype: tapir.DType, gradient: boolean): tapir.Tensor {
  const values = input.values ? Float64Array.from(plain(input.values)) : wave(input.shape, input.phase, input.low, input.high, input.away);
  const own = input.dtype === undefined || input.dtype === "float64" ? dtype : input.dtype;
  const t = tapir.tensor(tapir.tensor(values).to(own).reshape(input.shape));
  if (gradient) t.requiresGrad = true;
  return t;
}

function resolved(value: unknown, tensors: Record<string, tapir.Tensor>): unknown {
  if (typeof value === "string" && value.startsWith("$")) return tensors[value.slice(1)];
  if (value === "inf" || value === "-inf" || value === "nan") return plain([value])[0];
  if (Array.isArray(value)) return value.map((item) => resolved(item, tensors));
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, tensors)]));
  return value;
}

const tolerances = { float64: { rtol: 1e-12, share: 1e-14 }, float32: { rtol: 1e-5, share: 1e-6 } };

function compare(actual: tapir.Tensor, expected: readonly Value[], dtype: "float32" | "float64", label: string): void {
  const numbers = plain(expected);
  const largest = numbers.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);
  const { rtol, share } = tolerances[dtype];
  // beside rtol, a share of the largest number: what cancels keeps the error of its terms
  assertClose(actual.data(), numbers, { rtol, atol: share * largest }, label);
}

function check(one: Case, dtype: "float32" | "float64"): void {
  const f = (tapir as unknown as Record<string, (...args: unknown[]) => unknown>)[one.fn];
  assert.type(f, "function", `tapir.${one.fn}`);
  const shapes = Object.fromEntries(Object.entries(one.inputs).map(([name, input]) => [name, input.shape]));
  const label = `${one.fn} ${dtype} ${JSON.stringify({ shapes, args: one.args })}`;
  const tensors = Object.fromEntries(Object.entries(one.inputs).map(([name, input]) => [name, made(input, dtype, name in one.gradients)]));
  const outputs = tensorsIn(f(...(resolved(one.args, tensors) as unknown[])));
  assert.is(outputs.length, one.outputs.length, `${label}: number of outputs`);
  let total: tapir.Tensor | undefined;
  for (const [i, y] of outputs.entries()) {
    assert.equal(y.shape, one.outputs[i].shape, `${label}: shape`);
    compare(y, one.outputs[i].values, dtype, label);
    if (!y.requiresGrad) continue;
    const cotangent = tapir
      .tensor(wave(y.shape, LARGE_PHASE + i, -1, 1, 0))
      .to(y.dtype)
      .reshape(y.shape);
    const part = y.mul(cotangent).sum();
    total = total === undefined ? part : total.add(part);
  }
  total?.backward();
  for (const [name, values] of Object.entries(one.gradients)) {
    const gradient = tensors[name].grad ?? tapir.zerosLike(tensors[name]);
    compare(gradient, values, dtype, `${label}: gradient of ${name}`);
  }
}

const cases = new Map<string, Case[]>();
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  for (const one of JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Case[]) cases.set(one.fn, [...(cases.get(one.fn) ?? []), one]);
}

for (const [fn, list] of cases) {
  test(`${fn} agrees with PyTorch in ${list.length} cases, in both dtypes`, () => {
    assert.ok(list.length >= CASES_PER_FUNCTION, `expected ${CASES_PER_FUNCTION} cases or more; got ${list.length}`);
    for (const one of list) {
      for (const dtype of ["float64", "float32"] as const) scope(() => check(one, dtype));
    }
  });
}

test.run();
