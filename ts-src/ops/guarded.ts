// What derivatives of norms and extremes need: functions with a value chosen where the plain formula has none.
import type { Kernels } from "../../bindings/kernels.js";
import { apply, type Draw, op, type Spec } from "../../bindings/op.js";
import { broadcastShapes } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { broadcasting } from "./batching.js";
import { mul } from "./binary.js";
import { floatDtype, unary, zip } from "./operands.js";
import { anyBroadcast } from "./samples.js";
import { neg } from "./unary.js";

function guarded<const N extends "divNoNan" | "expSub" | "same">(name: N) {
  return {
    name,
    split: "elements",
    inputs: ["a", "b"],
    batch: broadcasting,
    shape: (s: { a: Spec; b: Spec }): Spec => ({ shape: broadcastShapes(name, s.a.shape, s.b.shape), dtype: floatDtype(name, s) }),
    strided: true,
    kernel: (k: Kernels, { a, b }: { a: Tensor; b: Tensor }, y: Tensor): void => zip(k[name], a, b, y),
  } as const;
}

/** a / b, and 0 where b is 0. */
export function divNoNan(a: Tensor, b: Tensor): Tensor {
  return apply(divNoNanOp, { a, b });
}
const divNoNanOp = op({
  ...guarded("divNoNan"),
  saves: ["b", "y"],
  vjp: (dy, { b, y }) => ({ a: () => divNoNan(dy, b), b: () => neg(divNoNan(mul(dy, y), b)) }),
  samples: [anyBroadcast({}, { away: 0.5 })],
});

/** e^(a - b), and 0 where a is -Infinity. */
export function expSub(a: Tensor, b: Tensor): Tensor {
  return apply(expSubOp, { a, b });
}
const expSubOp = op({
  ...guarded("expSub"),
  saves: ["y"],
  vjp: (dy, { y }) => ({ a: () => mul(dy, y), b: () => neg(mul(dy, y)) }),
  samples: [anyBroadcast()],
});

/** 1 where a = b or both are NaN, else 0. */
export const sameOp = op({
  ...guarded("same"),
  saves: [],
  vjp: "zero",
  samples: [
    (draw) => {
      const [a, b] = draw.broadcast();
      return { inputs: { a: { shape: a, low: 0, high: 1 }, b: { shape: b, low: 2, high: 3 } } };
    },
  ],
});

interface Power {
  readonly p: number;
  readonly signed: boolean;
}

/** |x|^p, times the sign of x if `signed`; 0 where x is 0. */
export function absPower(x: Tensor, params: Power): Tensor {
  return apply(absPowerOp, { x }, params);
}
/** |x|^p, times the sign of x if `signed`, and 0 where x is 0; its derivative is p times that of p - 1, `signed` the other way. */
const absPowerOp = op({
  ...unary("absPower", "abs"),
  shape: (s: { x: Spec }, _params: Power) => ({ shape: s.x.shape, dtype: floatDtype("absPower", s) }),
  kernel: (k, { x }, y, { p, signed }) => k.absPower(y.ptr, x.ptr, y.size, p, 0, signed ? 1 : 0),
  saves: ["x"],
  vjp: (dy, { x }, { params: { p, signed } }) => ({ x: () => mul(dy, mul(absPower(x, { p: p - 1, signed: !signed }), p)) }),
  samples: [
    (draw: Draw) => ({
      inputs: { x: { shape: draw.shape(), away: 0.3 } },
      params: { p: draw.pick([-1.5, -1, 0.5, 1, 1.5, 2, 3, 4.5]), signed: draw.pick([true, false]) },
    }),
  ],
});
