// y = c ? a : b with broadcasting; c holds one byte an element. Elements are moved by their size, so the kernels of 8,
// 32 and 64 bits serve every dtype.

/** One vector of the result; `not` is all ones where the condition does not hold. */
// @ts-ignore: decorator
@inline function choose(y: usize, a: usize, b: usize, s: v128, t: v128, aFixed: bool, bFixed: bool, not: v128, skip: usize): void {
  v128.store(y + skip, v128.bitselect(bFixed ? t : v128.load(b + skip), aFixed ? s : v128.load(a + skip), not));
}

// @ts-ignore: decorator
@inline function low8(m: v128): v128 {
  return v128.shuffle<u8>(m, m, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
}
// @ts-ignore: decorator
@inline function high8(m: v128): v128 {
  return v128.shuffle<u8>(m, m, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
}
// @ts-ignore: decorator
@inline function low16(m: v128): v128 {
  return v128.shuffle<u16>(m, m, 0, 0, 1, 1, 2, 2, 3, 3);
}
// @ts-ignore: decorator
@inline function high16(m: v128): v128 {
  return v128.shuffle<u16>(m, m, 4, 4, 5, 5, 6, 6, 7, 7);
}

/** Four 32-bit masks for elements of T: one vector of 32 bits, two of 64. */
// @ts-ignore: decorator
@inline function chooseFour<T>(y: usize, a: usize, b: usize, s: v128, t: v128, aFixed: bool, bFixed: bool, not: v128, skip: usize): void {
  if (sizeof<T>() == 4) choose(y, a, b, s, t, aFixed, bFixed, not, skip);
  else {
    choose(y, a, b, s, t, aFixed, bFixed, v128.shuffle<u32>(not, not, 0, 0, 1, 1), skip);
    choose(y, a, b, s, t, aFixed, bFixed, v128.shuffle<u32>(not, not, 2, 2, 3, 3), skip + 16);
  }
}

/** Whole turns of 16 elements of a row; a fixed operand is one element for all. Answers how many elements. */
// @ts-ignore: decorator
@inline function vectors<T>(y: usize, c: usize, a: usize, b: usize, n: i32, aFixed: bool, bFixed: bool): i32 {
  const bytes: usize = 16 * sizeof<T>(), zero = i8x16.splat(0);
  const s = v128.splat<T>(load<T>(a)), t = v128.splat<T>(load<T>(b));
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    // where the condition does not hold: the engine would make its opposite of this one
    const not = i8x16.eq(v128.load(c), zero);
    if (sizeof<T>() == 1) choose(y, a, b, s, t, aFixed, bFixed, not, 0);
    else {
      const low = low8(not), high = high8(not);
      chooseFour<T>(y, a, b, s, t, aFixed, bFixed, low16(low), 0);
      chooseFour<T>(y, a, b, s, t, aFixed, bFixed, high16(low), bytes / 4);
      chooseFour<T>(y, a, b, s, t, aFixed, bFixed, low16(high), bytes / 2);
      chooseFour<T>(y, a, b, s, t, aFixed, bFixed, high16(high), bytes / 4 * 3);
    }
    y += bytes;
    c += 16;
    if (!aFixed) a += bytes;
    if (!bFixed) b += bytes;
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
