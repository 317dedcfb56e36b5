// Elementwise loops. An op is a class without fields, called as changetype<Op>(0).vec(x): it inlines fully, where a
// function argument would become call_indirect. The last elements go through lane 0 of the same vector code, so the
// bits of an element never depend on its place.
import { LANES, at, lane0 } from "../vector";

/** y[i] = op(x[i]), i < n. */
// @ts-ignore: decorator
@inline export function map<Op>(y: usize, x: usize, n: i32): void {
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), changetype<Op>(0).vec(v128.load(x + at(i))));
  for (; i < n; i++) store<real>(y + at(i), lane0(changetype<Op>(0).vec(v128.splat<real>(load<real>(x + at(i))))));
}

/** y[i] = op(a[i], b[i]), i < n. */
// @ts-ignore: decorator
@inline export function zip<Op>(y: usize, a: usize, b: usize, n: i32): void {
  let i = 0;
  for (; i + LANES <= n; i += LANES) {
    v128.store(y + at(i), changetype<Op>(0).vec(v128.load(a + at(i)), v128.load(b + at(i))));
  }
  for (; i < n; i++) {
    const s = v128.splat<real>(load<real>(a + at(i)));
    const t = v128.splat<real>(load<real>(b + at(i)));
    store<real>(y + at(i), lane0(changetype<Op>(0).vec(s, t)));
  }
}

/** One row of a broadcast zip with strides p, q in elements: unit or zero strides run on vectors. */
// @ts-ignore: decorator
@inline function zipRow<Op>(y: usize, a: usize, b: usize, n: i32, p: i32, q: i32): void {
  if (p == 1 && q == 1) return zip<Op>(y, a, b, n);
  let i = 0;
  if (p == 1 && q == 0) {
    const t = v128.splat<real>(load<real>(b));
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), changetype<Op>(0).vec(v128.load(a + at(i)), t));
  } else if (p == 0 && q == 1) {
    const s = v128.splat<real>(load<real>(a));
    for (; i + LANES <= n; i += LANES) v128.store(y + at(i), changetype<Op>(0).vec(s, v128.load(b + at(i))));
  }
  for (; i < n; i++) {
    const s = v128.splat<real>(load<real>(a + at(i * p)));
    const t = v128.splat<real>(load<real>(b + at(i * q)));
    store<real>(y + at(i), lane0(changetype<Op>(0).vec(s, t)));
  }
}

/** y[i, j, k] = op(a[i, j, k], b[i, j, k]) for contiguous y and strided a, b; a broadcast axis has stride 0. */
// @ts-ignore: decorator
@inline export function broadcast<Op>(
  y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      zipRow<Op>(y, a + at(i * a0 + j * a1), b + at(i * b0 + j * b1), n2, a2, b2);
      y += at(n2);
    }
  }
}
