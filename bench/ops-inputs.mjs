// The ops of `npm run bench -- ops`, with the operands that every contestant gets.
import { wave } from "./serve.mjs";

const real =
  (shape, { low = -1, high = 1 } = {}) =>
  (phase) => {
    const n = shape.reduce((a, b) => a * b, 1);
    return { shape, data: wave(n, phase, 1).map((v) => low + ((v + 1) / 2) * (high - low)) };
  };
const index = (shape, below) => () => {
  const n = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Int32Array.from({ length: n }, (_, i) => (i * 7919) % below) };
};
const square = [1000, 1000];
const unary = [real(square)];
const binary = [real(square), real(square)];
const positive = [real(square, { low: 0.1, high: 3 })];
const image = [32, 32, 28, 28];

/** Per op its operands; `gradient: false` where it has none, `layout` where tfjs wants another one. */
const table = {
  add: binary,
  sub: binary,
  mul: binary,
  maximum: binary,
  minimum: binary,
  atan2: binary,
  greater: binary,
  where: binary,
  div: [real(square), real(square, { low: 0.5, high: 2 })],
  pow: [real(square, { low: 0.1, high: 3 }), real(square)],
  addRow: [real(square), real([1000])],
  mulColumn: [real(square), real([1000, 1])],
  neg: unary,
  abs: unary,
  sign: unary,
  square: unary,
  exp: unary,
  expm1: unary,
  sin: unary,
  cos: unary,
  tan: unary,
  asin: unary,
  acos: unary,
  atan: unary,
  sinh: unary,
  cosh: unary,
  tanh: unary,
  erf: unary,
  sigmoid: unary,
  relu: unary,
  leakyRelu: unary,
  elu: unary,
  selu: unary,
  gelu: unary,
  softplus: unary,
  floor: unary,
  ceil: unary,
  round: unary,
  clamp: unary,
  sqrt: positive,
  rsqrt: positive,
  reciprocal: positive,
  log: positive,
  log1p: positive,
  sumRows: unary,
  sumColumns: unary,
  sumAll: unary,
  mean: unary,
  maxRows: unary,
  minRows: unary,
  argmax: unary,
  logsumexp: unary,
  cumsum: unary,
  softmax: unary,
  logSoftmax: unary,
  layerNorm: unary,
  prodRows: [real(square, { low: 0.9, high: 1.1 })],
  matmul: [real([256, 256]), real([256, 256])],
  matmulTransposed: [real([256, 256]), real([256, 256])],
  batchMatmul: [real([16, 64, 64]), real([16, 64, 64])],
  transpose: unary,
  concat: binary,
  slice: unary,
  pad: unary,
  tile: unary,
  reverse: unary,
  topk: [real([200, 1000])],
  gatherRows: [real(square), index([1000], 1000)],
  oneHot: [index([10_000], 100)],
  conv2d: [real(image), real([64, 32, 3, 3])],
  conv2dStride: [real(image), real([64, 32, 3, 3])],
  depthwise: [real(image), real([32, 1, 3, 3])],
  maxPool: [real(image)],
  avgPool: [real(image)],
  resizeBilinear: [real([8, 16, 28, 28])],
};
/** Forward only: piecewise constant, or without a float operand. */
const WITHOUT_GRADIENT = ["greater", "sign", "floor", "ceil", "round", "argmax", "oneHot"];

export const opNames = Object.keys(table);

/** "op NAME forward" or "op NAME both" -> NAME. */
export function opName(name) {
  return name.split(" ")[1];
}

export function hasGradient(key) {
  return !WITHOUT_GRADIENT.includes(key);
}

/** "softmax@8": rows of eight times as many elements, 8 M, beyond the caches. */
export function inputs(key) {
  const [base, times] = key.split("@");
  if (times === undefined) return table[base].map((make, phase) => make(phase + 1));
  return [real([Number(times) * 1000, 1000])(1)];
}
