// Elementwise loops. An op is a class without fields, called as changetype<Op>(0).vec(x): it inlines fully, where a
// function argument would become call_indirect. Loops take two adjacent vectors an iteration, as fast as a copy; where
// both loads come first, Node 24 can fuse the pair to 256 bits. What is left over, short rows and odd strides go lane by lane
// into one vector through the same code, so the bits of an element never depend on its place. T is the element: `real` by
// default, or an integer. "Heavy" loops hold the code of the op once instead of up to eight times.

/** Byte offset of element i. */
// @ts-ignore: decorator
@inline function to<T>(i: i32): usize {
  return <usize>i * sizeof<T>();
}

/** The next vector of elements `stride` apart (of bytes: one); the lanes from `left` on hold nothing of use. */
// @ts-ignore: decorator
@inline export function gather<T>(x: usize, stride: i32, left: i32): v128 {
  if (stride == 0 || sizeof<T>() == 1) return v128.splat<T>(load<T>(x));
  if (stride == 1 && left >= i32(16 / sizeof<T>())) return v128.load(x);
  let v = v128.splat<T>(load<T>(x));
  if (left > 1) v = v128.replace_lane<T>(v, 1, load<T>(x + to<T>(stride)));
  if (sizeof<T>() == 4) {
    if (left > 2) v = v128.replace_lane<T>(v, 2, load<T>(x + to<T>(2 * stride)));
    if (left > 3) v = v128.replace_lane<T>(v, 3, load<T>(x + to<T>(3 * stride)));
  }
  return v;
}

/** Stores the first `left` lanes (of bytes: one). */
// @ts-ignore: decorator
@inline export function scatter<T>(y: usize, v: v128, left: i32): void {
  if (sizeof<T>() != 1 && left >= i32(16 / sizeof<T>())) {
    v128.store(y, v);
    return;
  }
  store<T>(y, v128.extract_lane<T>(v, 0));
  if (sizeof<T>() == 4) {
    if (left > 1) store<T>(y + to<T>(1), v128.extract_lane<T>(v, 1));
    if (left > 2) store<T>(y + to<T>(2), v128.extract_lane<T>(v, 2));
  }
}

/** y[i] = op(x[i]), i < n. */
// @ts-ignore: decorator
@inline export function map<Op, T = real>(y: usize, x: usize, n: i32): void {
  const rest = n & (i32(32 / sizeof<T>()) - 1);
  for (const end = y + to<T>(n - rest); y < end; y += 32) {
    const first = v128.load(x), second = v128.load(x, 16);
    v128.store(y, changetype<Op>(0).vec(first));
    v128.store(y, changetype<Op>(0).vec(second), 16);
    x += 32;
  }
  mapHeavy<Op, T>(y, x, rest);
}

/** As map, for an op of many instructions. */
// @ts-ignore: decorator
@inline export function mapHeavy<Op, T = real>(y: usize, x: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<T>();
  for (; n > 0; n -= lanes) {
    scatter<T>(y, changetype<Op>(0).vec(gather<T>(x, 1, n)), n);
    x += 16;
    y += 16;
  }
}

/** y[i] = op(a[i], b[i]), i < n. */
// @ts-ignore: decorator
@inline export function zip<Op, T = real>(y: usize, a: usize, b: usize, n: i32): void {
  const rest = n & (i32(32 / sizeof<T>()) - 1);
  for (const end = y + to<T>(n - rest); y < end; y += 32) {
    // not all loads first: Node 24 would fuse them, and three streams of 256 bits are slower than six of 128
    v128.store(y, changetype<Op>(0).vec(v128.load(a), v128.load(b)));
    v128.store(y, changetype<Op>(0).vec(v128.load(a, 16), v128.load(b, 16)), 16);
    a += 32;
    b += 32;
  }
  zipHeavy<Op, T>(y, a, b, rest, 1, 1);
}

/** y[i] = op(a[i p], b[i q]), i < n, for any strides. */
// @ts-ignore: decorator
@inline export function zipHeavy<Op, T>(y: usize, a: usize, b: usize, n: i32, p: i32, q: i32): void {
  const lanes: i32 = sizeof<T>() == 1 ? 1 : 16 / sizeof<T>(); // bytes one by one
  for (; n > 0; n -= lanes) {
    scatter<T>(y, changetype<Op>(0).vec(gather<T>(a, p, n), gather<T>(b, q, n)), n);
    a += to<T>(p * lanes);
    b += to<T>(q * lanes);
    y += to<T>(lanes);
  }
}

/** y[i] = op(a[i], b[i], c[i]), i < n. */
// @ts-ignore: decorator
@inline export function zip3<Op>(y: usize, a: usize, b: usize, c: usize, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= lanes; n -= lanes) {
    v128.store(y, changetype<Op>(0).vec(v128.load(a), v128.load(b), v128.load(c)));
    a += 16;
    b += 16;
    c += 16;
    y += 16;
  }
  if (n > 0) scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), gather<real>(b, 1, n), gather<real>(c, 1, n)), n);
}

/** y[i] = op(x[i], s, t), i < n, for numbers s and t in every lane. */
// @ts-ignore: decorator
@inline export function mapWith<Op, T = real>(y: usize, x: usize, s: v128, t: v128, n: i32): void {
  const lanes: i32 = 16 / sizeof<T>();
  let rest = n & (2 * lanes - 1);
  for (const end = y + to<T>(n - rest); y < end; y += 32) {
    const first = v128.load(x), second = v128.load(x, 16);
    v128.store(y, changetype<Op>(0).vec(first, s, t));
    v128.store(y, changetype<Op>(0).vec(second, s, t), 16);
    x += 32;
  }
  for (; rest > 0; rest -= lanes) {
    scatter<T>(y, changetype<Op>(0).vec(gather<T>(x, 1, rest), s, t), rest);
    x += 16;
    y += 16;
  }
}

/** y[i] = op(a[i], b[i], s, t), i < n, for numbers s and t in every lane. */
// @ts-ignore: decorator
@inline export function zipWith<Op>(y: usize, a: usize, b: usize, s: v128, t: v128, n: i32): void {
  const lanes: i32 = 16 / sizeof<real>();
  for (; n >= lanes; n -= lanes) {
    v128.store(y, changetype<Op>(0).vec(v128.load(a), v128.load(b), s, t));
    a += 16;
    b += 16;
    y += 16;
  }
  if (n > 0) scatter<real>(y, changetype<Op>(0).vec(gather<real>(a, 1, n), gather<real>(b, 1, n), s, t), n);
}

/** One row of a broadcast zip with strides p, q in elements. */
// @ts-ignore: decorator
@inline function zipRow<Op, T>(y: usize, a: usize, b: usize, n: i32, p: i32, q: i32): void {
  const lanes: i32 = 16 / sizeof<T>();
  if (n >= 2 * lanes) {
    if (p == 1 && q == 1) return zip<Op, T>(y, a, b, n);
    if (p == 1 && q == 0) {
      const t = v128.splat<T>(load<T>(b));
      for (; n >= 2 * lanes; n -= 2 * lanes) {
        const a0 = v128.load(a), a1 = v128.load(a, 16);
        v128.store(y, changetype<Op>(0).vec(a0, t));
        v128.store(y, changetype<Op>(0).vec(a1, t), 16);
        a += 32;
        y += 32;
      }
    } else if (p == 0 && q == 1) {
      const s = v128.splat<T>(load<T>(a));
      for (; n >= 2 * lanes; n -= 2 * lanes) {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        v128.store(y, changetype<Op>(0).vec(s, b0));
        v128.store(y, changetype<Op>(0).vec(s, b1), 16);
        b += 32;
        y += 32;
      }
    }
  }
  zipHeavy<Op, T>(y, a, b, n, p, q);
}

/** y[i r] = op(a[i p], b[i q]), i < n, for elements of 32 bits: a column of rows that are shorter than a vector. */
// @ts-ignore: decorator
@inline function zipColumn<Op, T>(y: usize, a: usize, b: usize, n: i32, r: i32, p: i32, q: i32): void {
  for (; n > 0; n -= 4) {
    const v = changetype<Op>(0).vec(gather<T>(a, p, n), gather<T>(b, q, n));
    store<T>(y, v128.extract_lane<T>(v, 0));
    if (n > 1) store<T>(y + to<T>(r), v128.extract_lane<T>(v, 1));
    if (n > 2) store<T>(y + to<T>(2 * r), v128.extract_lane<T>(v, 2));
    if (n > 3) store<T>(y + to<T>(3 * r), v128.extract_lane<T>(v, 3));
    a += to<T>(4 * p);
    b += to<T>(4 * q);
    y += to<T>(4 * r);
  }
}

/** y[i, j, k] = op(a[i, j, k], b[i, j, k]) for contiguous y and strided a, b; a broadcast axis has stride 0. */
// @ts-ignore: decorator
@inline export function broadcast<Op, T = real>(
  y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    if (sizeof<T>() == 4 && n2 < 4 && n1 >= 4) {
      for (let k = 0; k < n2; k++) zipColumn<Op, T>(y + to<T>(k), a + to<T>(i * a0 + k * a2), b + to<T>(i * b0 + k * b2), n1, n2, a1, b1);
      y += to<T>(n1 * n2);
      continue;
    }
    for (let j = 0; j < n1; j++) {
      zipRow<Op, T>(y, a + to<T>(i * a0 + j * a1), b + to<T>(i * b0 + j * b1), n2, a2, b2);
      y += to<T>(n2);
    }
  }
}

/** As broadcast, for an op of many instructions. */
// @ts-ignore: decorator
@inline export function broadcastHeavy<Op, T = real>(
  y: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      zipHeavy<Op, T>(y, a + to<T>(i * a0 + j * a1), b + to<T>(i * b0 + j * b1), n2, a2, b2);
      y += to<T>(n2);
    }
  }
}
