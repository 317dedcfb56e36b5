// Elementwise loops for elementary functions, several vectors an iteration: all are looked at at once for arguments out of
// the usual range, and all are computed before one is stored, so that the compiler loads each coefficient once for all.
// An op has usual(x), limit(), the largest |x| that usual can do, and any(x), which does all with the same bits.
import { anyOfFourBeyond } from "../elementary/bits";
import { gather, mapHeavy, scatter, zipHeavy } from "./map";

/** any(x) for what is left over and where a lane is beyond. */
// @ts-ignore: decorator
@inline function mapAny<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).any(gather<real>(x, 1, n)), n);
    x += 16;
    y += 16;
  }
}

/** y[i] = op(x[i]), i < n. */
// @ts-ignore: decorator
@inline export function mapFours<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    if (anyOfFourBeyond(x0, x1, x2, x3, changetype<Op>(0).limit())) {
      for (let i: usize = 0; i < 64; i += 16) v128.store(y + i, changetype<Op>(0).any(v128.load(x + i)));
    } else {
      const y0 = changetype<Op>(0).usual(x0), y1 = changetype<Op>(0).usual(x1), y2 = changetype<Op>(0).usual(x2), y3 = changetype<Op>(0).usual(x3);
      v128.store(y, y0);
      v128.store(y, y1, 16);
      v128.store(y, y2, 32);
      v128.store(y, y3, 48);
    }
    x += 64;
    y += 64;
  }
  mapAny<Op>(y, x, n);
}

/** y[i] = op.vec(x[i]), i < n, for an op without such a range. */
// @ts-ignore: decorator
@inline export function mapFoursWhole<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    const y0 = changetype<Op>(0).vec(x0), y1 = changetype<Op>(0).vec(x1), y2 = changetype<Op>(0).vec(x2), y3 = changetype<Op>(0).vec(x3);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    v128.store(y, y2, 32);
    v128.store(y, y3, 48);
    x += 64;
    y += 64;
  }
  mapHeavy<Op>(y, x, n);
}

/** y[i] = op.vec(x[i], s, t), i < n, for numbers s and t in every lane. */
// @ts-ignore: decorator
@inline export function mapFoursWith<Op>(y: usize, x: usize, s: v128, t: v128, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    const y0 = changetype<Op>(0).vec(x0, s, t), y1 = changetype<Op>(0).vec(x1, s, t);
    const y2 = changetype<Op>(0).vec(x2, s, t), y3 = changetype<Op>(0).vec(x3, s, t);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    v128.store(y, y2, 32);
    v128.store(y, y3, 48);
    x += 64;
    y += 64;
  }
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).vec(gather<real>(x, 1, n), s, t), n);
    x += 16;
    y += 16;
  }
}

/** y[i] = op(a[i], b[i]), i < n, for an op with usual(a, b), limit() and any(a, b), where b has the range. */
// @ts-ignore: decorator
@inline export function zipFours<Op>(y: usize, a: usize, b: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    if (anyOfFourBeyond(b0, b1, b2, b3, changetype<Op>(0).limit())) {
      for (let i: usize = 0; i < 64; i += 16) v128.store(y + i, changetype<Op>(0).any(v128.load(a + i), v128.load(b + i)));
    } else {
      const a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48);
      const y0 = changetype<Op>(0).usual(a0, b0), y1 = changetype<Op>(0).usual(a1, b1);
      const y2 = changetype<Op>(0).usual(a2, b2), y3 = changetype<Op>(0).usual(a3, b3);
      v128.store(y, y0);
      v128.store(y, y1, 16);
      v128.store(y, y2, 32);
      v128.store(y, y3, 48);
    }
    a += 64;
    b += 64;
    y += 64;
  }
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).any(gather<real>(a, 1, n), gather<real>(b, 1, n)), n);
    a += 16;
    b += 16;
    y += 16;
  }
}

/** y[i] = op.vec(a[i], b[i]), i < n, for an op without such a range. */
// @ts-ignore: decorator
@inline export function zipFoursWhole<Op>(y: usize, a: usize, b: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48);
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    const y0 = changetype<Op>(0).vec(a0, b0), y1 = changetype<Op>(0).vec(a1, b1);
    const y2 = changetype<Op>(0).vec(a2, b2), y3 = changetype<Op>(0).vec(a3, b3);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    v128.store(y, y2, 32);
    v128.store(y, y3, 48);
    a += 64;
    b += 64;
    y += 64;
  }
  zipHeavy<Op, real>(y, a, b, n, 1, 1);
}

/** y[i] = op.vec(a[i], b[i], s, t), i < n, for numbers s and t in every lane. */
// @ts-ignore: decorator
@inline export function zipFoursWith<Op>(y: usize, a: usize, b: usize, s: v128, t: v128, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48);
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    const y0 = changetype<Op>(0).vec(a0, b0, s, t), y1 = changetype<Op>(0).vec(a1, b1, s, t);
    const y2 = changetype<Op>(0).vec(a2, b2, s, t), y3 = changetype<Op>(0).vec(a3, b3, s, t);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    v128.store(y, y2, 32);
    v128.store(y, y3, 48);
    a += 64;
    b += 64;
    y += 64;
  }
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), gather<real>(b, 1, n), s, t), n);
    a += 16;
    b += 16;
    y += 16;
  }
}
