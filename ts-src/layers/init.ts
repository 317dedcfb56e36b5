// Starting values: each fills a tensor in place and answers it.
import { ShapeError } from "../../bindings/errors.js";
import { showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { noGrad } from "../ops/derivatives.js";
import { add_, copy_, fill_, mul_ } from "../ops/inplace.js";
import { uniform as drawUniform, randn } from "../ops/random.js";

function fill(t: Tensor, draw: () => Tensor): Tensor {
  noGrad(() => {
    copy_(t, draw());
  });
  return t;
}

/** Uniform in [low, high). */
export function uniform(t: Tensor, low = 0, high = 1): Tensor {
  return fill(t, () => drawUniform(t.shape, low, high, { dtype: t.dtype }));
}

/** Normal. */
export function normal(t: Tensor, mean = 0, deviation = 1): Tensor {
  return fill(t, () => add_(mul_(randn(t.shape, { dtype: t.dtype }), deviation), mean));
}

export function constant(t: Tensor, value: number): Tensor {
  noGrad(() => {
    fill_(t, value);
  });
  return t;
}

export function zeros(t: Tensor): Tensor {
  return constant(t, 0);
}

export function ones(t: Tensor): Tensor {
  return constant(t, 1);
}

/** Inputs and outputs of a weight [out, in, ...]. */
function fans(name: string, t: Tensor): [number, number] {
  if (t.ndim < 2) throw new ShapeError(`${name}: expected a weight [out, in, ...]; got ${showShape(t.shape)}`);
  const field = t.shape.slice(2).reduce((n, size) => n * size, 1);
  return [t.shape[1] * field, t.shape[0] * field];
}

/** Uniform in +-gain sqrt(6 / (in + out)) (Glorot and Bengio 2010, equation 16). */
export function xavierUniform(t: Tensor, gain = 1): Tensor {
  const [fanIn, fanOut] = fans("xavierUniform", t);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(t, -bound, bound);
}

/** Normal with deviation gain sqrt(2 / (in + out)) (Glorot and Bengio 2010). */
export function xavierNormal(t: Tensor, gain = 1): Tensor {
  const [fanIn, fanOut] = fans("xavierNormal", t);
  return normal(t, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/** Uniform in +-sqrt(6 / in), for ReLU (He et al. 2015, equation 10). */
export function kaimingUniform(t: Tensor): Tensor {
  const bound = Math.sqrt(6 / fans("kaimingUniform", t)[0]);
  return uniform(t, -bound, bound);
}

/** Normal with deviation sqrt(2 / in), for ReLU (He et al. 2015, equation 10). */
export function kaimingNormal(t: Tensor): Tensor {
  return normal(t, 0, Math.sqrt(2 / fans("kaimingNormal", t)[0]));
}
