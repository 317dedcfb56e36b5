// Elementwise loops. An op is a class without fields, called as changetype<Op>(0).vec(x): it inlines fully, where a
// function argument would become call_indirect. The last elements go through lane 0 of the same vector code, so the
// bits of an element never depend on its place. T is the element: `real` by default, or an integer.

/** Byte offset of element i. */
// @ts-ignore: decorator
@inline function to<T>(i: i32): usize {
  return <usize>i * sizeof<T>();
}

/** y[i] = op(x[i]), i < n. */
// @ts-ignore: decorator
@inline export function map<Op, T = real>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<T>();
  let i = 0;
  for (; i + lanes <= n; i += lanes) v128.store(y + to<T>(i), changetype<Op>(0).vec(v128.load(x + to<T>(i))));
  for (; i < n; i++) store<T>(y + to<T>(i), v128.extract_lane<T>(changetype<Op>(0).vec(v128.splat<T>(load<T>(x + to<T>(i)))), 0));
}

/** y[i] = op(a[i], b[i]), i < n. */
// @ts-ignore: decorator
@inline export function zip<Op, T = real>(y: usize, a: usize, b: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<T>();
  let i = 0;
  for (; i + lanes <= n; i += lanes) {
    v128.store(y + to<T>(i), changetype<Op>(0).vec(v128.load(a + to<T>(i)), v128.load(b + to<T>(i))));
  }
  for (; i < n; i++) {
    const s = v128.splat<T>(load<T>(a + to<T>(i)));
    const t = v128.splat<T>(load<T>(b + to<T>(i)));
    store<T>(y + to<T>(i), v128.extract_lane<T>(changetype<Op>(0).vec(s, t), 0));
  }
}

/** y[i] = op(a[i], b[i], c[i]), i < n. */
// @ts-ignore: decorator
@inline export function zip3<Op>(y: usize, a: usize, b: usize, c: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  let i = 0;
  for (; i + lanes <= n; i += lanes) {
    v128.store(y + to<real>(i), changetype<Op>(0).vec(v128.load(a + to<real>(i)), v128.load(b + to<real>(i)), v128.load(c + to<real>(i))));
  }
  for (; i < n; i++) {
    const s = v128.splat<real>(load<real>(a + to<real>(i)));
    const t = v128.splat<real>(load<real>(b + to<real>(i)));
    const u = v128.splat<real>(load<real>(c + to<real>(i)));
    store<real>(y + to<real>(i), v128.extract_lane<real>(changetype<Op>(0).vec(s, t, u), 0));
  }
}

/** One row of a broadcast zip with strides p, q in elements: unit or zero strides run on vectors. */
// @ts-ignore: decorator
@inline function zipRow<Op, T>(y: usize, a: usize, b: usize, n: i32, p: i32, q: i32): void {
  if (p == 1 && q == 1) return zip<Op, T>(y, a, b, n);
  const lanes: i32 = 16 / sizeof<T>();
  let i = 0;
  if (p == 1 && q == 0) {
    const t = v128.splat<T>(load<T>(b));
    for (; i + lanes <= n; i += lanes) v128.store(y + to<T>(i), changetype<Op>(0).vec(v128.load(a + to<T>(i)), t));
  } else if (p == 0 && q == 1) {
    const s = v128.splat<T>(load<T>(a));
    for (; i + lanes <= n; i += lanes) v128.store(y + to<T>(i), changetype<Op>(0).vec(s, v128.load(b + to<T>(i))));
  }
  for (; i < n; i++) {
    const s = v128.splat<T>(load<T>(a + to<T>(i * p)));
    const t = v128.splat<T>(load<T>(b + to<T>(i * q)));
    store<T>(y + to<T>(i), v128.extract_lane<T>(changetype<Op>(0).vec(s, t), 0));
  }
}

/** y[i, j, k] = op(a[i, j, k], b[i, j, k]) for contiguous y and strided a, b; a broadcast axis has stride 0. */
// @ts-ignore: decorator
@inline export function broadcast<Op, T = real>(
  y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      zipRow<Op, T>(y, a + to<T>(i * a0 + j * a1), b + to<T>(i * b0 + j * b1), n2, a2, b2);
      y += to<T>(n2);
    }
  }
}
