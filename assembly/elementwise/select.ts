// y = c ? a : b with broadcasting; c holds one byte an element. Elements are moved by their size, so the kernels of 8,
// 32 and 64 bits serve every dtype.

/** The mask of the next vector's conditions, all ones where true. */
// @ts-ignore: decorator
@inline function maskOf<T>(c: usize): v128 {
  let bytes: v128;
  if (sizeof<T>() == 1) bytes = v128.load(c);
  else if (sizeof<T>() == 4) bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(c)));
  else bytes = i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i16x8.splat(load<i16>(c)))));
  return v128.ne<T>(bytes, v128.splat<T>(0));
}

/** The whole vectors of a row; a fixed operand is one element for all. Answers how many elements. */
// @ts-ignore: decorator
@inline function vectors<T>(y: usize, c: usize, a: usize, b: usize, n: i32, aFixed: bool, bFixed: bool): i32 {
  const lanes: i32 = 16 / sizeof<T>();
  const s = v128.splat<T>(load<T>(a)), t = v128.splat<T>(load<T>(b));
  let i = 0;
  for (; i + lanes <= n; i += lanes) {
    v128.store(y, v128.bitselect(aFixed ? s : v128.load(a), bFixed ? t : v128.load(b), maskOf<T>(c)));
    y += 16;
    c += lanes;
    if (!aFixed) a += 16;
    if (!bFixed) b += 16;
  }
  return i;
}

// @ts-ignore: decorator
@inline function row<T>(y: usize, c: usize, a: usize, b: usize, n: i32, s: i32, p: i32, q: i32): void {
  if (s == 0) {
    const taken = load<u8>(c) != 0;
    const from = taken ? a : b, step = taken ? p : q;
    if (step == 1) memory.copy(y, from, <usize>n * sizeof<T>());
    else for (let i = 0; i < n; i++) store<T>(y + <usize>i * sizeof<T>(), load<T>(from + <usize>(i * step) * sizeof<T>()));
    return;
  }
  let i = 0;
  if (s == 1) {
    if (p == 1 && q == 1) i = vectors<T>(y, c, a, b, n, false, false);
    else if (p == 1 && q == 0) i = vectors<T>(y, c, a, b, n, false, true);
    else if (p == 0 && q == 1) i = vectors<T>(y, c, a, b, n, true, false);
    else if (p == 0 && q == 0) i = vectors<T>(y, c, a, b, n, true, true);
  }
  for (; i < n; i++) {
    const from = load<u8>(c + <usize>(i * s)) != 0 ? a + <usize>(i * p) * sizeof<T>() : b + <usize>(i * q) * sizeof<T>();
    store<T>(y + <usize>i * sizeof<T>(), load<T>(from));
  }
}

// @ts-ignore: decorator
@inline function where<T>(
  y: usize, c: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, c0: i32, c1: i32, c2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const p = a + <usize>(i * a0 + j * a1) * sizeof<T>();
      const q = b + <usize>(i * b0 + j * b1) * sizeof<T>();
      row<T>(y, c + <usize>(i * c0 + j * c1), p, q, n2, c2, a2, b2);
      y += <usize>n2 * sizeof<T>();
    }
  }
}

export function where8(
  y: usize, c: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, c0: i32, c1: i32, c2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  where<i8>(y, c, a, b, n0, n1, n2, c0, c1, c2, a0, a1, a2, b0, b1, b2);
}
export function where32(
  y: usize, c: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, c0: i32, c1: i32, c2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  where<i32>(y, c, a, b, n0, n1, n2, c0, c1, c2, a0, a1, a2, b0, b1, b2);
}
export function where64(
  y: usize, c: usize, a: usize, b: usize, n0: i32, n1: i32, n2: i32, c0: i32, c1: i32, c2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  where<i64>(y, c, a, b, n0, n1, n2, c0, c1, c2, a0, a1, a2, b0, b1, b2);
}
