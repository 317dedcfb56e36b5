// The elementwise part of a step of LSTM and GRU, one op forward and one backward. a and b are the products of the input and of
// the state with their weights: rows of gates side by side, as PyTorch orders them.

import { ShapeError } from "../../bindings/errors.js";
import { apply, type Batch, type Draw, op, type Spec } from "../../bindings/op.js";
import { type Shape, sameShape, showShape, sizeOf } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { everyOperand, leading } from "./batching.js";
import { add, mul, sub } from "./binary.js";
import { sigmoid, tanh } from "./hyperbolic.js";
import { concat, stack } from "./join.js";
import { floatDtype } from "./operands.js";
import { permute, squeeze } from "./shape.js";
import { narrow } from "./slice.js";
import { leadingRows } from "./splits.js";
import { square } from "./unary.js";

/** What a sigmoid, a tanh or a gate costs. */
const GATE_FLOPS = 30;

/** Part `i` of the last axis, `size` wide. */
function part(x: Tensor, i: number, size: number, count = 1): Tensor {
  return narrow(x, x.ndim - 1, i * size, count * size);
}

function parts(x: Tensor, count: number): Tensor[] {
  const size = x.shape[x.ndim - 1] / count;
  return Array.from({ length: count }, (_, i) => part(x, i, size));
}

/** `fn` once, at the first call. */
function once<T>(fn: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: fn() };
    return made.value;
  };
}

/** Throws ShapeError unless a and b hold `count` gates for each cell of the state. */
function checkGates(name: string, count: number, a: Shape, b: Shape, state: Shape): void {
  const wanted = state.with(-1, count * state[state.length - 1]);
  if (state.length === 0 || !sameShape(a, wanted) || !sameShape(b, wanted)) {
    const got = [a, b, state].map(showShape).join(", ");
    throw new ShapeError(`${name}: expected gates of ${count} for each element of a state [..., H], all of one shape before the last axis; got ${got}`);
  }
}

function drawnGates(draw: Draw, count: number): { gates: { shape: number[] }; state: { shape: number[] } } {
  const state = draw.shape(1, 3);
  return { gates: { shape: state.with(-1, count * (state.at(-1) as number)) }, state: { shape: state } };
}

/** The axis of the two halves first, then the batch. */
function swapped(x: Tensor): Tensor {
  return permute(x, 1, 0, ...x.shape.slice(2).map((_, i) => i + 2));
}

/** The halves of a pair that stands along the first axis, such as h' and c'. */
export function halves(x: Tensor): [Tensor, Tensor] {
  return [squeeze(narrow(x, 0, 0, 1), 0), squeeze(narrow(x, 0, 1, 1), 0)];
}

const rowsOf = (state: Tensor): [rows: number, cols: number] => [sizeOf(state.shape.slice(0, -1)), state.shape[state.ndim - 1]];

/**
 * A step of an LSTM (Hochreiter and Schmidhuber 1997): c' = f c + i g, h' = o tanh(c'), with the gates i, f, g, o of a + b under
 * sigmoid, sigmoid, tanh, sigmoid; a, b [..., 4 H], c [..., H], to h' and c' as [2, ..., H]. Throws ShapeError, DtypeError.
 */
export function lstmCell(a: Tensor, b: Tensor, c: Tensor): Tensor {
  return apply(lstmCellOp, { a, b, c });
}
const lstmCellOp = op({
  name: "lstmCell",
  inputs: ["a", "b", "c"],
  split: ({ c }) => (c.ndim < 2 ? undefined : { y: 1, operands: { a: 0, b: 0, c: 0 } }),
  batch: (batch: Batch<"a" | "b" | "c", unknown>) => swapped(batch.again(everyOperand(batch))),
  shape(s: { a: Spec; b: Spec; c: Spec }) {
    checkGates("lstmCell", 4, s.a.shape, s.b.shape, s.c.shape);
    return { shape: [2, ...s.c.shape], dtype: floatDtype("lstmCell", s) };
  },
  flops: ({ c }) => 5 * GATE_FLOPS * sizeOf(c.shape),
  kernel: (k, { a, b, c }, y) => k.lstmCell(y.ptr, a.ptr, b.ptr, c.ptr, ...rowsOf(c), y.strides[0]),
  saves: ["a", "b", "c"],
  vjp(dy, { a, b, c }, { shapes }) {
    const size = shapes.c[shapes.c.length - 1];
    const all = once(() => lstmCellGrad(dy, a, b, c));
    return { a: () => part(all(), 0, size, 4), b: () => part(all(), 0, size, 4), c: () => part(all(), 4, size) };
  },
  samples: [
    (draw) => {
      const { gates, state } = drawnGates(draw, 4);
      return { inputs: { a: gates, b: gates, c: state } };
    },
  ],
});

function lstmCellGrad(dy: Tensor, a: Tensor, b: Tensor, c: Tensor): Tensor {
  return apply(lstmCellGradOp, { dy, a, b, c });
}
/**
 * The gradients of lstmCell from dy = (dh, dc'), [..., 5 H]: e g i (1 - i), e c f (1 - f), e i (1 - g^2), dh t o (1 - o) for the gates
 * and e f for c, with t = tanh(c') and e = dc' + dh o (1 - t^2).
 */
const lstmCellGradOp = op({
  name: "lstmCellGrad",
  inputs: ["dy", "a", "b", "c"],
  split: ({ c }) => (c.ndim < 2 ? undefined : { y: 0, operands: { dy: 1, a: 0, b: 0, c: 0 } }),
  batch(batch: Batch<"dy" | "a" | "b" | "c", unknown>) {
    const all = everyOperand(batch);
    return batch.again({ ...all, dy: swapped(all.dy) });
  },
  shape(s: { dy: Spec; a: Spec; b: Spec; c: Spec }) {
    checkGates("lstmCellGrad", 4, s.a.shape, s.b.shape, s.c.shape);
    return { shape: s.c.shape.with(-1, 5 * (s.c.shape.at(-1) as number)), dtype: floatDtype("lstmCellGrad", s) };
  },
  flops: ({ c }) => 6 * GATE_FLOPS * sizeOf(c.shape),
  kernel: (k, { dy, a, b, c }, dx) => k.lstmCellGrad(dx.ptr, dy.ptr, a.ptr, b.ptr, c.ptr, ...rowsOf(c), dy.strides[0]),
  saves: ["dy", "a", "b", "c"],
  // u, v the cotangents of gates and c: what is derived is e P + dh Q, with P, Q the tangents of c' and of o times t along (u, v)
  vjp(u, { dy, a, b, c }) {
    const all = once(() => {
      const [zi, zf, zg, zo] = parts(add(a, b), 4);
      const [i, f, g, o] = [sigmoid(zi), sigmoid(zf), tanh(zg), sigmoid(zo)];
      const [ui, uf, ug, uo, v] = parts(u, 5);
      const [di, df, dg, dO] = [mul(i, sub(1, i)), mul(f, sub(1, f)), sub(1, square(g)), mul(o, sub(1, o))];
      const t = tanh(add(mul(f, c), mul(i, g)));
      const dt = sub(1, square(t));
      const along = add(add(mul(ui, mul(g, di)), mul(uf, mul(c, df))), add(mul(ug, mul(i, dg)), mul(v, f)));
      return { i, f, g, o, ui, uf, ug, uo, v, di, df, dg, dO, t, dt, along };
    });
    const pulled = once(() => {
      const [dh, dc] = halves(dy);
      const { o, uo, dO, t, dt, along } = all();
      const e = add(dc, mul(dh, mul(o, dt)));
      const k = mul(mul(dh, sub(mul(uo, dO), mul(mul(2, mul(o, t)), along))), dt);
      return { dh, e, k };
    });
    const gates = once(() => {
      const { i, f, g, o, ui, uf, ug, uo, v, di, df, dg, dO, t, dt, along } = all();
      const { dh, e, k } = pulled();
      const zi = mul(di, add(mul(e, add(mul(ui, mul(g, sub(1, mul(2, i)))), mul(ug, dg))), mul(k, g)));
      const zf = mul(df, add(mul(e, add(mul(uf, mul(c, sub(1, mul(2, f)))), v)), mul(k, c)));
      const zg = mul(dg, add(mul(e, sub(mul(ui, di), mul(mul(2, ug), mul(i, g)))), mul(k, i)));
      const zo = mul(mul(dh, dO), add(mul(dt, along), mul(uo, mul(t, sub(1, mul(2, o))))));
      return concat([zi, zf, zg, zo], { axis: -1 });
    });
    return {
      dy: () => {
        const { o, uo, dO, t, dt, along } = all();
        return stack([add(mul(along, mul(o, dt)), mul(uo, mul(t, dO))), along]);
      },
      a: gates,
      b: gates,
      c: () => {
        const { f, uf, df } = all();
        const { e, k } = pulled();
        return add(mul(e, mul(uf, df)), mul(k, f));
      },
    };
  },
  samples: [
    (draw) => {
      const { gates, state } = drawnGates(draw, 4);
      return { inputs: { dy: { shape: [2, ...state.shape] }, a: gates, b: gates, c: state } };
    },
  ],
});

/**
 * A step of a GRU (Cho et al. 2014): h' = (1 - z) n + z h with r, z = sigmoid(a + b) and n = tanh(a + r b), of the three parts of
 * a, b [..., 3 H]; h [..., H]. The reset gate comes after the product of the state, as in cuDNN and PyTorch. Throws ShapeError, DtypeError.
 */
export function gruCell(a: Tensor, b: Tensor, h: Tensor): Tensor {
  return apply(gruCellOp, { a, b, h });
}
const gruCellOp = op({
  name: "gruCell",
  inputs: ["a", "b", "h"],
  split: ({ h }) => (h.ndim < 2 ? undefined : leadingRows<"a" | "b" | "h">("a", "b", "h")()),
  batch: leading,
  shape(s: { a: Spec; b: Spec; h: Spec }) {
    checkGates("gruCell", 3, s.a.shape, s.b.shape, s.h.shape);
    return { shape: s.h.shape, dtype: floatDtype("gruCell", s) };
  },
  flops: ({ h }) => 3 * GATE_FLOPS * sizeOf(h.shape),
  kernel: (k, { a, b, h }, y) => k.gruCell(y.ptr, a.ptr, b.ptr, h.ptr, ...rowsOf(h)),
  saves: ["a", "b", "h"],
  vjp(dy, { a, b, h }, { shapes }) {
    const size = shapes.h[shapes.h.length - 1];
    const all = once(() => gruCellGrad(dy, a, b, h));
    return { a: () => part(all(), 0, size, 3), b: () => part(all(), 3, size, 3), h: () => part(all(), 6, size) };
  },
  samples: [
    (draw) => {
      const { gates, state } = drawnGates(draw, 3);
      return { inputs: { a: gates, b: gates, h: state } };
    },
  ],
});

function gruCellGrad(dy: Tensor, a: Tensor, b: Tensor, h: Tensor): Tensor {
  return apply(gruCellGradOp, { dy, a, b, h });
}
/**
 * The gradients of gruCell, [..., 7 H]: q b r (1 - r), dy (h - n) z (1 - z), q for a; the same with q r last for b; dy z for h; q =
 * dy (1 - z) (1 - n^2).
 */
const gruCellGradOp = op({
  name: "gruCellGrad",
  inputs: ["dy", "a", "b", "h"],
  split: ({ h }) => (h.ndim < 2 ? undefined : leadingRows<"dy" | "a" | "b" | "h">("dy", "a", "b", "h")()),
  batch: leading,
  shape(s: { dy: Spec; a: Spec; b: Spec; h: Spec }) {
    checkGates("gruCellGrad", 3, s.a.shape, s.b.shape, s.h.shape);
    return { shape: s.h.shape.with(-1, 7 * (s.h.shape.at(-1) as number)), dtype: floatDtype("gruCellGrad", s) };
  },
  flops: ({ h }) => 4 * GATE_FLOPS * sizeOf(h.shape),
  kernel: (k, { dy, a, b, h }, dx) => k.gruCellGrad(dx.ptr, dy.ptr, a.ptr, b.ptr, h.ptr, ...rowsOf(h)),
  saves: ["dy", "a", "b", "h"],
  // what is derived is dy M, M the tangent of h' along the cotangents u: (1 - z) (1 - n^2) N + uz (h - n) z (1 - z) + v z,
  // N = ur b r (1 - r) + ua + ub r that of what tanh gets
  vjp(u, { dy, a, b, h }) {
    const all = once(() => {
      const [ar, az, an] = parts(a, 3);
      const [br, bz, bn] = parts(b, 3);
      const [r, z] = [sigmoid(add(ar, br)), sigmoid(add(az, bz))];
      const n = tanh(add(an, mul(r, bn)));
      const [uar, uaz, ua, ubr, ubz, ub, v] = parts(u, 7);
      const [ur, uz] = [add(uar, ubr), add(uaz, ubz)];
      const [dr, dz, dn, keep, apart] = [mul(r, sub(1, r)), mul(z, sub(1, z)), sub(1, square(n)), sub(1, z), sub(h, n)];
      const inner = add(add(mul(ur, mul(bn, dr)), ua), mul(ub, r));
      return { bn, r, z, n, ur, uz, ub, v, dr, dz, dn, keep, apart, inner };
    });
    const gates = once(() => {
      const { bn, r, z, n, ur, uz, ub, v, dr, dz, dn, keep, apart, inner } = all();
      const through = mul(dy, mul(keep, dn));
      const k = mul(mul(dy, dn), sub(mul(mul(-2, n), mul(keep, inner)), mul(uz, dz)));
      const zr = mul(dr, add(mul(k, bn), mul(through, add(mul(ur, mul(bn, sub(1, mul(2, r)))), ub))));
      const zz = mul(mul(dy, dz), add(sub(mul(uz, mul(apart, sub(1, mul(2, z)))), mul(dn, inner)), v));
      return { zr, zz, k, last: add(mul(k, r), mul(through, mul(ur, dr))) };
    });
    return {
      dy: () => {
        const { z, uz, v, dz, dn, keep, apart, inner } = all();
        return add(mul(mul(keep, dn), inner), add(mul(uz, mul(apart, dz)), mul(v, z)));
      },
      a: () => {
        const { zr, zz, k } = gates();
        return concat([zr, zz, k], { axis: -1 });
      },
      b: () => {
        const { zr, zz, last } = gates();
        return concat([zr, zz, last], { axis: -1 });
      },
      h: () => {
        const { uz, dz } = all();
        return mul(dy, mul(uz, dz));
      },
    };
  },
  samples: [
    (draw) => {
      const { gates, state } = drawnGates(draw, 3);
      return { inputs: { dy: state, a: gates, b: gates, h: state } };
    },
  ],
});
