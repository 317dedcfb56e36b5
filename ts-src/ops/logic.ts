// Logic on any dtype: what is not 0 counts as true, NaN too. The result has dtype bool.
import type { Kernels } from "../../bindings/kernels.js";
import { apply, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes } from "../../bindings/shape.js";
import { withRecording } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { broadcasting } from "./batching.js";
import { eq } from "./compare.js";
import { to } from "./convert.js";
import { checkedTensor, type Operand, withScalars, zip } from "./operands.js";

/** Whether each element is 0. */
export function logicalNot(x: Tensor): Tensor {
  checkedTensor("logicalNot", "x", x);
  x.alive("logicalNot");
  return eq(x, 0);
}

/** Whether both are true, with broadcasting; a number may stand for either. */
export function logicalAnd(a: Operand, b: Operand): Tensor {
  return truths("logicalAnd", a, b, (p, q) => apply(logicalAndOp, { a: p, b: q }));
}
const logicalAndOp = op(logic("logicalAnd", "minimumUint8"));

/** Whether one of both or both are true, with broadcasting; a number may stand for either. */
export function logicalOr(a: Operand, b: Operand): Tensor {
  return truths("logicalOr", a, b, (p, q) => apply(logicalOrOp, { a: p, b: q }));
}
const logicalOrOp = op(logic("logicalOr", "maximumUint8"));

function logic(name: string, kernel: "minimumUint8" | "maximumUint8") {
  return {
    name,
    inputs: ["a", "b"] as const,
    batch: broadcasting,
    shape: (x: { a: Spec; b: Spec }): Spec => ({ shape: broadcastShapes(name, x.a.shape, x.b.shape), dtype: "bool" }),
    strided: true,
    kernel: (k: Kernels, x: { a: Tensor; b: Tensor }, y: Tensor): void => zip(k[kernel], x.a, x.b, y),
    saves: [] as const,
    vjp: "none" as const,
    samples: [],
  };
}

/** Calls `fn` with both operands as bool tensors. */
function truths(name: string, a: Operand, b: Operand, fn: (a: Tensor, b: Tensor) => Tensor): Tensor {
  return withRecording(false, () => {
    const made: Tensor[] = [];
    const truth = (x: Operand): Operand => {
      if (!(x instanceof Tensor)) return typeof x === "number" ? Number(x !== 0) : x;
      x.alive(name);
      if (x.dtype === "bool") return x;
      const y = to(x, "bool");
      made.push(y);
      return y;
    };
    try {
      return withScalars(name, truth(a), truth(b), fn, "bool");
    } finally {
      for (const t of made) t.dispose();
    }
  });
}
