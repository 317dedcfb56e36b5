// Elementwise loops for elementary functions, several vectors an iteration: all are looked at at once for arguments out of
// the usual range, and all are computed before one is stored, so that the compiler loads each coefficient once for all.
// An op has usual(x), beyond(x), which tells the lanes that usual cannot do, and any(x), which does all with the same bits.
import { gather, scatter } from "./map";

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

/** y[i] = op(x[i]), i < n; two vectors. */
// @ts-ignore: decorator
@inline export function mapPairs<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 2 * lanes; n -= 2 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16);
    if (v128.any_true(v128.or(changetype<Op>(0).beyond(x0), changetype<Op>(0).beyond(x1)))) {
      v128.store(y, changetype<Op>(0).any(v128.load(x)));
      v128.store(y, changetype<Op>(0).any(v128.load(x, 16)), 16);
    } else {
      const y0 = changetype<Op>(0).usual(x0), y1 = changetype<Op>(0).usual(x1);
      v128.store(y, y0);
      v128.store(y, y1, 16);
    }
    x += 32;
    y += 32;
  }
  mapAny<Op>(y, x, n);
}

/** As mapPairs with four vectors, for a function of few instructions. */
// @ts-ignore: decorator
@inline export function mapFours<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 4 * lanes; n -= 4 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    const b0 = v128.or(changetype<Op>(0).beyond(x0), changetype<Op>(0).beyond(x1));
    const b1 = v128.or(changetype<Op>(0).beyond(x2), changetype<Op>(0).beyond(x3));
    if (v128.any_true(v128.or(b0, b1))) {
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
@inline export function mapTwo<Op>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= 2 * lanes; n -= 2 * lanes) {
    const x0 = v128.load(x), x1 = v128.load(x, 16);
    const y0 = changetype<Op>(0).vec(x0), y1 = changetype<Op>(0).vec(x1);
    v128.store(y, y0);
    v128.store(y, y1, 16);
    x += 32;
    y += 32;
  }
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).vec(gather<real>(x, 1, n)), n);
    x += 16;
    y += 16;
  }
}
