// tapir's side of `npm run bench -- ops`: one call of an op, forward, or forward and backward. The names and sizes are those of ops-tfjs.mjs.
import { kernelsOf } from "../bindings/kernels.js";
import { clearGradient, scope } from "../bindings/lifetime.js";
import * as tapir from "../ts-src/index.js";
import { noGrad, type Tensor, tensor } from "../ts-src/index.js";
import { inputs, opName } from "./ops-inputs.mjs";
import type { Case } from "./serve.mjs";

type F = (...xs: Tensor[]) => Tensor;

const ROWS = { axis: -1 };
const cases: Record<string, F> = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
  pow: (a, b) => a.pow(b),
  atan2: (a, b) => a.atan2(b),
  addRow: (a, b) => a.add(b),
  mulColumn: (a, b) => a.mul(b),
  where: (a, b) => tapir.where(a.gt(b), a, b),
  greater: (a, b) => a.gt(b),
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  sign: (x) => x.sign(),
  square: (x) => x.square(),
  sqrt: (x) => x.sqrt(),
  rsqrt: (x) => x.rsqrt(),
  reciprocal: (x) => x.reciprocal(),
  exp: (x) => x.exp(),
  expm1: (x) => x.expm1(),
  log: (x) => x.log(),
  log1p: (x) => x.log1p(),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tan: (x) => x.tan(),
  asin: (x) => x.asin(),
  acos: (x) => x.acos(),
  atan: (x) => x.atan(),
  sinh: (x) => x.sinh(),
  cosh: (x) => x.cosh(),
  tanh: (x) => x.tanh(),
  erf: (x) => x.erf(),
  sigmoid: (x) => x.sigmoid(),
  relu: (x) => x.relu(),
  leakyRelu: (x) => x.leakyRelu({ negativeSlope: 0.2 }),
  elu: (x) => x.elu(),
  selu: (x) => x.selu(),
  gelu: (x) => x.gelu(),
  softplus: (x) => x.softplus(),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
  round: (x) => x.round(),
  clamp: (x) => x.clamp(-0.5, 0.5),
  sumRows: (x) => x.sum(ROWS),
  sumColumns: (x) => x.sum({ axis: 0 }),
  sumAll: (x) => x.sum(),
  mean: (x) => x.mean(ROWS),
  maxRows: (x) => x.amax(ROWS),
  minRows: (x) => x.amin(ROWS),
  prodRows: (x) => x.prod(ROWS),
  argmax: (x) => x.argmax(ROWS),
  logsumexp: (x) => x.logsumexp(ROWS),
  cumsum: (x) => x.cumsum(ROWS),
  softmax: (x) => x.softmax(),
  logSoftmax: (x) => x.logSoftmax(),
  layerNorm: (x) => tapir.layerNorm(x, [1000]),
  matmul: (a, b) => a.matmul(b),
  matmulTransposed: (a, b) => a.transpose().matmul(b),
  batchMatmul: (a, b) => a.matmul(b),
  transpose: (x) => x.transpose().clone(),
  concat: (a, b) => tapir.concat([a, b], { axis: 1 }),
  slice: (x) => x.slice([100, 900], [100, 900]).clone(),
  pad: (x) =>
    x.pad([
      [1, 1],
      [2, 2],
    ]),
  tile: (x) => x.tile([2, 1]),
  reverse: (x) => x.flip({ axis: 1 }).clone(),
  gatherRows: (x, i) => x.indexSelect(i, { axis: 0 }),
  oneHot: (i) => tapir.oneHot(i, 100),
  topk: (x) => x.topk(5).values,
  conv2d: (x, w) => tapir.conv2d(x, w, null, { padding: 1 }),
  conv2dStride: (x, w) => tapir.conv2d(x, w, null, { stride: 2 }),
  depthwise: (x, w) => tapir.conv2d(x, w, null, { padding: 1, groups: 32 }),
  maxPool: (x) => tapir.maxPool2d(x, 2),
  avgPool: (x) => tapir.avgPool2d(x, 2),
  resizeBilinear: (x) => tapir.interpolate(x, { size: [56, 56], mode: "bilinear" }),
};

/** "copy": the plain vector loop over as many elements, the measure of bandwidth. */
export function opCase(name: string): Case {
  const key = opName(name);
  const [base, times = "1"] = key.split("@");
  if (base === "copy") {
    const x = tensor(new Float32Array(1_000_000 * Number(times)));
    const y = tapir.zerosLike(x);
    const k = kernelsOf("float32");
    return { step: () => k.copyVectors(y.ptr, x.ptr, x.size) };
  }
  const f = cases[base];
  const xs = inputs(key).map(({ shape, data }) => tensor(data).reshape(shape));
  if (!name.endsWith("both")) return { step: () => noGrad(() => f(...xs)).dispose() };
  const floats = xs.filter((x) => x.dtype === "float32");
  const dy = noGrad(() => tapir.onesLike(f(...xs)));
  for (const x of floats) x.requiresGrad = true;
  return {
    step() {
      scope(() => f(...xs).backward({ gradient: dy }));
      for (const x of floats) clearGradient(x);
    },
  };
}
