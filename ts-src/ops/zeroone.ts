// The error rate of a classifier.
import { DtypeError, ShapeError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { sameShape, showShape } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand, merged, parted } from "./batching.js";
import { checkedTensor, floatDtype } from "./operands.js";
import { mean } from "./reduce.js";
import { reshape } from "./shape.js";

/**
 * Zero-one loss: the share of rows of logits [N, C] (or [C]) whose first largest element is not at the target, int32 [N]
 * (or []). It has no derivative. Throws ShapeError, DtypeError; a reverse pass through it throws GradientError.
 */
export function zeroOneLoss(logits: Tensor, targets: Tensor): Tensor {
  const name = "zeroOneLoss";
  checkedTensor(name, "logits", logits);
  checkedTensor(name, "targets", targets);
  floatDtype(name, { logits });
  if (targets.dtype !== "int32") throw new DtypeError(`${name}: expected targets of dtype int32 (class numbers); got ${targets.dtype}`);
  if (logits.ndim < 1 || logits.ndim > 2 || !sameShape(logits.shape.slice(0, -1), targets.shape)) {
    throw new ShapeError(`${name}: expected logits [N, C] and targets [N]; got ${showShape(logits.shape)} and ${showShape(targets.shape)}`);
  }
  return scope(() => {
    const rows = logits.ndim === 2 ? logits : reshape(logits, [1, logits.size]);
    return mean(apply(zeroOneLossOp, { x: rows, target: reshape(targets, [targets.size]) }));
  });
}
const zeroOneLossOp = op({
  name: "zeroOneLoss",
  inputs: ["x", "target"],
  batch: (batch) => {
    const { x, target } = everyOperand(batch);
    return parted(batch.again({ x: merged(x), target: merged(target) }), batch.size);
  },
  shape: (s: { x: Spec; target: Spec }) => ({ shape: s.target.shape, dtype: s.x.dtype }),
  kernel: (k, { x, target }, y) => k.zeroOneLoss(y.ptr, x.ptr, target.ptr, y.size, x.shape[1]),
  saves: [],
  vjp: "none",
  refuses: "zeroOneLoss: expected a loss that has a derivative; got the error rate, which is flat and jumps; train with a surrogate: crossEntropy or hingeLoss",
  samples: [],
});
