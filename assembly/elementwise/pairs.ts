// Elementwise loops for elementary functions, two vectors an iteration: both are looked at for arguments out of the usual
// range at once, and both are computed before one is stored, so that the compiler loads each coefficient once for the two.
// An op has usual(x), beyond(x) (lanes that usual cannot do) and any(x), which does all arguments with the same bits.
import { gather, scatter } from "./map";

/** y[i] = op(x[i]), i < n. */
// @ts-ignore: decorator
@inline export function mapUsual<Op>(y: usize, x: usize, n: i32): void {
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
  for (; n > 0; n -= lanes) {
    scatter<real>(y, changetype<Op>(0).any(gather<real>(x, 1, n)), n);
    x += 16;
    y += 16;
  }
}
