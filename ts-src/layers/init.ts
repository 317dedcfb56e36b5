// Starting values, as torch.nn.init: each fills a tensor in place and answers it, with numbers that follow from manualSeed().

import { ConfigError, ShapeError } from "../../bindings/errors.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { add, mul } from "../ops/binary.js";
import { checkedNumber, checkedOptions } from "../ops/checks.js";
import { lt } from "../ops/compare.js";
import { to } from "../ops/convert.js";
import { full, eye as identity, tensor } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { erf } from "../ops/exponential.js";
import { add_, copy_, fill_, mul_ } from "../ops/inplace.js";
import { checkedTensor, floatDtype } from "../ops/operands.js";
import { uniform as drawUniform, randn } from "../ops/random.js";
import { where } from "../ops/select.js";
import { reshape, transpose } from "../ops/shape.js";

type Float = "float32" | "float64";

function fill(name: string, t: Tensor, draw: (dtype: Float) => Tensor): Tensor {
  checkedTensor(name, "t", t);
  floatDtype(name, { t });
  noGrad(() => {
    copy_(t, draw(t.dtype as Float));
  });
  return t;
}

/** Uniform in [low, high). */
export function uniform(t: Tensor, low = 0, high = 1): Tensor {
  checkedNumber("uniform", "low", low, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedNumber("uniform", "high", high, low, Number.MAX_VALUE);
  return fill("uniform", t, (dtype) => drawUniform(t.shape, low, high, { dtype }));
}

/** Normal. */
export function normal(t: Tensor, mean = 0, deviation = 1): Tensor {
  checkedNumber("normal", "mean", mean, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedNumber("normal", "deviation", deviation, 0, Number.MAX_VALUE);
  return fill("normal", t, (dtype) => add_(mul_(randn(t.shape, { dtype }), deviation), mean));
}

/** Every element `value`. */
export function constant(t: Tensor, value: number): Tensor {
  noGrad(() => {
    fill_(t, value);
  });
  return t;
}

/** Every element 0. */
export function zeros(t: Tensor): Tensor {
  return constant(t, 0);
}

/** Every element 1. */
export function ones(t: Tensor): Tensor {
  return constant(t, 1);
}

/** 1 on the diagonal of a matrix, 0 elsewhere. Throws ShapeError for what is no matrix. */
export function eye(t: Tensor): Tensor {
  checkedTensor("eye", "t", t);
  if (t.ndim !== 2) throw new ShapeError(`eye: expected a matrix; got ${showShape(t.shape)}`);
  return fill("eye", t, (dtype) => identity(t.shape[0], t.shape[1], { dtype }));
}

/** Inputs and outputs of a weight [out, in, ...]. */
function fans(name: string, t: Tensor): [inputs: number, outputs: number] {
  checkedTensor(name, "t", t);
  if (t.ndim < 2) throw new ShapeError(`${name}: expected a weight [out, in, ...]; got ${showShape(t.shape)}`);
  const field = t.shape.slice(2).reduce((n, size) => n * size, 1);
  return [t.shape[1] * field, t.shape[0] * field];
}

/** What a signal's deviation is multiplied by so that it stays the same behind a function. */
const gains = {
  linear: 1,
  conv1d: 1,
  conv2d: 1,
  convTranspose2d: 1,
  sigmoid: 1,
  tanh: 5 / 3,
  relu: Math.SQRT2,
  selu: 3 / 4,
  leakyRelu: (slope: number): number => Math.sqrt(2 / (1 + slope ** 2)),
} as const;

/** The names that calculateGain() knows. */
export type GainName = keyof typeof gains;

/** The gain of a nonlinearity, as torch.nn.init.calculate_gain; `param` is the slope of leakyRelu, 0.01 by default. Throws ConfigError. */
export function calculateGain(nonlinearity: GainName, param = 0.01): number {
  if (!Object.hasOwn(gains, nonlinearity)) {
    throw new ConfigError(`calculateGain: expected a nonlinearity among ${Object.keys(gains).join(", ")}; got ${showValue(nonlinearity)}`);
  }
  const gain = gains[nonlinearity];
  return typeof gain === "number" ? gain : gain(checkedNumber("calculateGain", "param", param, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY));
}

/** Uniform in +-gain sqrt(6 / (in + out)) (Glorot and Bengio 2010, equation 16). */
export function xavierUniform(t: Tensor, gain = 1): Tensor {
  const [inputs, outputs] = fans("xavierUniform", t);
  checkedNumber("xavierUniform", "gain", gain, 0, Number.MAX_VALUE);
  const bound = gain * Math.sqrt(6 / (inputs + outputs));
  return uniform(t, -bound, bound);
}

/** Normal with deviation gain sqrt(2 / (in + out)) (Glorot and Bengio 2010). */
export function xavierNormal(t: Tensor, gain = 1): Tensor {
  const [inputs, outputs] = fans("xavierNormal", t);
  checkedNumber("xavierNormal", "gain", gain, 0, Number.MAX_VALUE);
  return normal(t, 0, gain * Math.sqrt(2 / (inputs + outputs)));
}

export interface KaimingOptions {
  /** The slope of leakyRelu; 0 by default. */
  a?: number;
  /** Whether the signal forward ("fanIn", the default) or the gradient keeps its deviation. */
  mode?: "fanIn" | "fanOut";
  /** What follows the layer; "leakyRelu" by default, with a = 0 the same as "relu". */
  nonlinearity?: GainName;
}

/** The deviation gain / sqrt(fan). */
function kaimingDeviation(name: string, t: Tensor, options: KaimingOptions): number {
  const { a = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = checkedOptions(name, options, ["a", "mode", "nonlinearity"]);
  if (mode !== "fanIn" && mode !== "fanOut") throw new ConfigError(`${name}: expected mode "fanIn" or "fanOut"; got ${showValue(mode)}`);
  const gain = calculateGain(nonlinearity, a);
  return gain / Math.sqrt(fans(name, t)[mode === "fanIn" ? 0 : 1]);
}

/** Uniform in +-gain sqrt(3 / fan) (He et al. 2015, equation 10). */
export function kaimingUniform(t: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingDeviation("kaimingUniform", t, options);
  return uniform(t, -bound, bound);
}

/** Normal with deviation gain / sqrt(fan) (He et al. 2015, equation 10). */
export function kaimingNormal(t: Tensor, options: KaimingOptions = {}): Tensor {
  return normal(t, 0, kaimingDeviation("kaimingNormal", t, options));
}

/**
 * Orthonormal rows, or columns where these are fewer, times gain, of t as a matrix [out, rest] (Saxe et al. 2014): from normal numbers by
 * Gram-Schmidt, so that every orthogonal matrix is as likely (Mezzadri 2007). Throws ShapeError for less than two axes.
 */
export function orthogonal(t: Tensor, gain = 1): Tensor {
  checkedNumber("orthogonal", "gain", gain, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedTensor("orthogonal", "t", t);
  if (t.ndim < 2) throw new ShapeError(`orthogonal: expected at least two axes; got ${showShape(t.shape)}`);
  const rows = t.shape[0];
  const cols = rows === 0 ? 0 : t.size / rows;
  const [count, length] = rows < cols ? [rows, cols] : [cols, rows];
  return fill("orthogonal", t, (dtype) => {
    const vectors = randn([count, length], { dtype: "float64" }).data() as Float64Array;
    orthonormalise(vectors, count, length);
    const matrix = mul(reshape(tensor(vectors), [count, length]), gain);
    return to(reshape(rows < cols ? matrix : transpose(matrix), t.shape), dtype);
  });
}

/** Gram-Schmidt, each vector twice, which is enough for orthogonality to the last digits (Giraud et al. 2005). */
function orthonormalise(vectors: Float64Array, count: number, length: number): void {
  const dot = (u: Float64Array, v: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += u[i] * v[i];
    return sum;
  };
  for (let i = 0; i < count; i++) {
    const v = vectors.subarray(i * length, (i + 1) * length);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const u = vectors.subarray(j * length, (j + 1) * length);
        const along = dot(u, v);
        for (let n = 0; n < length; n++) v[n] -= along * u[n];
      }
    }
    const norm = Math.sqrt(dot(v, v));
    for (let n = 0; n < length; n++) v[n] /= norm;
  }
}

/** Beyond, the distribution function of the normal law is 0 or 1 in float64. */
const FARTHEST = 8;
/** Halvings that leave an interval of 16 deviations shorter than a unit in the last place. */
const HALVINGS = 56;

/**
 * Normal with `mean` and `deviation`, within low..high, -2 and 2 by default: the place where the distribution function has the value of a
 * uniform number, found by halving. Throws ConfigError unless low < high, with a part of it within 8 deviations of the mean.
 */
export function truncNormal(t: Tensor, mean = 0, deviation = 1, low = -2, high = 2): Tensor {
  const name = "truncNormal";
  checkedNumber(name, "mean", mean, -Number.MAX_VALUE, Number.MAX_VALUE);
  checkedNumber(name, "deviation", deviation, 0, Number.MAX_VALUE, true);
  const [from, end] = [low, high].map((x) => Math.min(FARTHEST, Math.max(-FARTHEST, (x - mean) / deviation)));
  if (!(low < high) || !(from < end)) {
    throw new ConfigError(
      `${name}: expected low < high, less than ${FARTHEST} deviations from mean ${mean}; got ${low} and ${high} with deviation ${deviation}`,
    );
  }
  return fill(name, t, (dtype) => {
    const options = { dtype: "float64" } as const;
    const share = (x: Tensor): Tensor => erf(mul(x, Math.SQRT1_2)); // 2 Phi - 1
    const [least, most] = [from, end].map((x) => share(full([], x, options)).item());
    const wanted = drawUniform(t.shape, least, most, options);
    let [below, above] = [full(t.shape, from, options), full(t.shape, end, options)];
    for (let i = 0; i < HALVINGS; i++) {
      const middle = mul(add(below, above), 0.5);
      const less = lt(share(middle), wanted);
      [below, above] = [where(less, middle, below), where(less, above, middle)];
    }
    return to(add(mul(below, deviation), mean), dtype);
  });
}
