// Every function of tensors is also a method: x.add(y) is add(x, y).
import { Tensor } from "../../bindings/tensor.js";
import * as activations from "./activations.js";
import { scaledDotProductAttention } from "./attention.js";
import { batchNorm, instanceNorm } from "./batchnorm.js";
import * as binary from "./binary.js";
import * as compare from "./compare.js";
import * as convert from "./convert.js";
import * as convolution from "./convolution.js";
import { crossEntropy, nllLoss } from "./crossentropy.js";
import * as diagonals from "./diagonal.js";
import { dropout } from "./dropout.js";
import * as exponential from "./exponential.js";
import * as extrema from "./extrema.js";
import * as gathers from "./gather.js";
import * as gelus from "./gelu.js";
import * as hyperbolic from "./hyperbolic.js";
import * as inplace from "./inplace.js";
import * as interpolation from "./interpolate.js";
import * as joins from "./join.js";
import * as logic from "./logic.js";
import { logSigmoid } from "./logistic.js";
import * as matrix from "./matmul.js";
import { norm } from "./norm.js";
import * as pads from "./pad.js";
import * as piecewise from "./piecewise.js";
import * as pooling from "./pooling.js";
import * as power from "./power.js";
import * as products from "./products.js";
import * as reduce from "./reduce.js";
import * as reverse from "./reverse.js";
import * as rounding from "./rounding.js";
import { groupNorm, layerNorm, rmsNorm } from "./rownorm.js";
import * as scan from "./scan.js";
import * as scatters from "./scatter.js";
import * as select from "./select.js";
import * as shape from "./shape.js";
import * as slices from "./slice.js";
import { logSoftmax, softmax } from "./softmax.js";
import * as sorts from "./sort.js";
import * as statistics from "./statistics.js";
import * as text from "./text.js";
import * as trigonometry from "./trigonometry.js";
import * as unary from "./unary.js";
import * as uniques from "./unique.js";
import type { PerAxis } from "./window.js";
import { zeroOneLoss } from "./zeroone.js";

const { sumTo: _sumTo, spread: _spread, ...reductions } = reduce;
const { extremeGrad: _extremeGrad, ...extremes } = extrema;
const { backward } = reverse;
const { gatherAlong: _gatherAlong, ...gatherings } = gathers;
const { ordered: _ordered, ...sortings } = sorts;
const { withoutHistory: _withoutHistory, ...conversions } = convert;
const { roll, tile } = joins;
const { narrow: _narrow, ...parts } = slices;
const neural = {
  logSigmoid,
  zeroOneLoss,
  softmax,
  logSoftmax,
  crossEntropy,
  nllLoss,
  batchNorm,
  instanceNorm,
  layerNorm,
  groupNorm,
  rmsNorm,
  dropout,
  scaledDotProductAttention,
};
const functions = {
  ...piecewise,
  ...rounding,
  ...unary,
  ...exponential,
  ...trigonometry,
  ...hyperbolic,
  ...power,
  ...activations,
  ...gelus,
  ...binary,
  ...compare,
  ...logic,
  ...select,
  ...gatherings,
  ...scatters,
  ...sortings,
  ...uniques,
  ...conversions,
  ...inplace,
  ...matrix,
  ...reductions,
  ...extremes,
  ...statistics,
  ...scan,
  norm,
  ...shape,
  ...neural,
  ...text,
  ...diagonals,
  ...pads,
  ...products,
  ...convolution,
  ...pooling,
  ...interpolation,
  ...parts,
  roll,
  tile,
  backward,
};

/** The method that a function of a tensor becomes. */
export type Method<F> = F extends (x: Tensor, ...rest: infer R) => infer T ? (...rest: R) => T : never;
type Methods = { [name in keyof typeof functions]: Method<(typeof functions)[name]> };

declare module "../../bindings/tensor.js" {
  interface Tensor extends Methods {
    // overloads, of which a mapped type keeps the last
    maxPool1d(kernel: PerAxis, options: pooling.MaxPoolOptions & { returnIndices: true }): pooling.Picked;
    maxPool1d(kernel: PerAxis, options?: pooling.MaxPoolOptions): Tensor;
    maxPool2d(kernel: PerAxis, options: pooling.MaxPoolOptions & { returnIndices: true }): pooling.Picked;
    maxPool2d(kernel: PerAxis, options?: pooling.MaxPoolOptions): Tensor;
    unique(options?: uniques.PlainUnique): Tensor;
    unique(options: uniques.UniqueOptions): Tensor | uniques.Unique;
  }
}

/** Makes methods of functions whose first argument is the tensor. */
export function attach(prototype: Tensor, fns: Readonly<Record<string, unknown>>): void {
  for (const [name, fn] of Object.entries(fns)) {
    const method = function (this: Tensor, ...rest: unknown[]): unknown {
      return (fn as (x: Tensor, ...rest: unknown[]) => unknown)(this, ...rest);
    };
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  }
}
attach(Tensor.prototype, functions);
