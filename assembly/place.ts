// Elements moved between any two layouts of one shape.
import { fillBytes, moveBytes, moveRows, repeatRows } from "./rows";

/** A transposed copy goes by blocks of so many rows of y, so that the 64-byte lines read are used whole and those written stay in the cache. */
// @ts-ignore: decorator
@inline function blockOf<T>(): i32 {
  return sizeof<T>() == 1 ? 64 : 16;
}

/** Elements of type T in a vector. */
// @ts-ignore: decorator
@inline function lanesOf<T>(): i32 {
  return 16 / sizeof<T>();
}

/** Byte offset of element i of type T. */
// @ts-ignore: decorator
@inline function offset<T>(i: i32): usize {
  return <usize>i * sizeof<T>();
}

/** y[i, j, k] = x[i, j, k] for any strides, in elements: t of y, s of x. */
// @ts-ignore: decorator
@inline function placed<T>(
  y: usize, x: usize, n0: i32, n1: i32, n2: i32, t0: i32, t1: i32, t2: i32, s0: i32, s1: i32, s2: i32,
): void {
  const down = offset<T>(t1), across = offset<T>(s1);
  for (let i = 0; i < n0; i++) {
    let to = y + offset<T>(i * t0), from = x + offset<T>(i * s0);
    if (t2 != 1) {
      for (let j = 0; j < n1; j++, to += down, from += across) apart<T>(to, from, n2, offset<T>(t2), offset<T>(s2));
    } else if (s2 == 1) moveRows(to, from, n1, offset<T>(n2), down, across);
    else if (s2 == 0) repeatRows<T>(to, from, n1, offset<T>(n2), down, across);
    else if (s1 == 1 && n1 > 1) transposed<T>(to, from, n1, n2, down, offset<T>(s2));
    else if (s2 == -1) {
      for (let j = 0; j < n1; j++, to += down, from += across) reversed<T>(to, from, n2);
    } else if (s2 == 2) {
      for (let j = 0; j < n1; j++, to += down, from += across) alternate<T>(to, from, n2);
    } else {
      for (let j = 0; j < n1; j++, to += down, from += across) apart<T>(to, from, n2, sizeof<T>(), offset<T>(s2));
    }
  }
}

/** y[k t] = x[k s], t and s in bytes. */
// @ts-ignore: decorator
@inline function apart<T>(y: usize, x: usize, n: i32, t: usize, s: usize): void {
  for (; n >= 4; n -= 4) {
    const a = load<T>(x), b = load<T>(x + s), c = load<T>(x + s * 2), d = load<T>(x + s * 3);
    store<T>(y, a);
    store<T>(y + t, b);
    store<T>(y + t * 2, c);
    store<T>(y + t * 3, d);
    x += s * 4;
    y += t * 4;
  }
  for (; n > 0; n--, x += s, y += t) store<T>(y, load<T>(x));
}

/** y[k] = x[2 k]. */
// @ts-ignore: decorator
@inline function alternate<T>(y: usize, x: usize, n: i32): void {
  // the second vector ends one element after the last that is taken: there is one only before the end
  for (; n > lanesOf<T>(); n -= lanesOf<T>()) {
    const a = v128.load(x), b = v128.load(x, 16);
    if (sizeof<T>() == 8) v128.store(y, v128.shuffle<u64>(a, b, 0, 2));
    else if (sizeof<T>() == 4) v128.store(y, v128.shuffle<u32>(a, b, 0, 2, 4, 6));
    else v128.store(y, v128.shuffle<u8>(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
    x += 32;
    y += 16;
  }
  for (; n > 0; n--, x += 2 * sizeof<T>(), y += sizeof<T>()) store<T>(y, load<T>(x));
}

/** y[k] = x[-k]. */
// @ts-ignore: decorator
@inline function reversed<T>(y: usize, x: usize, n: i32): void {
  if (n < lanesOf<T>()) {
    for (let k = 0; k < n; k++) store<T>(y + offset<T>(k), load<T>(x - offset<T>(k)));
    return;
  }
  const end = y + offset<T>(n) - 16;
  x -= 16 - sizeof<T>();
  for (; y + 16 < end; y += 32, x -= 32) {
    const a = v128.load(x), b = v128.load(x - 16);
    v128.store(y, backwards<T>(a));
    v128.store(y, backwards<T>(b), 16);
  }
  if (y < end) {
    v128.store(y, backwards<T>(v128.load(x)));
    x -= 16;
    y += 16;
  }
  v128.store(end, backwards<T>(v128.load(x + (y - end))));
}

// @ts-ignore: decorator
@inline function backwards<T>(v: v128): v128 {
  if (sizeof<T>() == 8) return v128.shuffle<u64>(v, v, 1, 0);
  if (sizeof<T>() == 4) return v128.shuffle<u32>(v, v, 3, 2, 1, 0);
  return v128.shuffle<u8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/** y[j, k] = x[j + k s], j < rows, k < cols; rows of y are `down` bytes apart, s is `across` bytes. */
// @ts-ignore: decorator
@inline function transposed<T>(y: usize, x: usize, rows: i32, cols: i32, down: usize, across: usize): void {
  if (sizeof<T>() == 4) {
    if (cols < 4) {
      if (cols == 3) return thinRows(y, x, rows, down, across, true);
      if (cols == 2) return thinRows(y, x, rows, down, across, false);
    } else if (<isize>across > 0) {
      if (rows == 3) return fewRows(y, x, cols, down, across, true);
      if (rows == 2) return fewRows(y, x, cols, down, across, false);
    }
  }
  const tile = sizeof<T>() == 8 ? 2 : sizeof<T>() == 4 ? 4 : 8;
  for (let first = 0; first < rows; first += blockOf<T>()) {
    const end = min(rows, first + blockOf<T>()), whole = first + (end - first) / tile * tile;
    let k = 0;
    for (; k + tile <= cols; k += tile) {
      const line = x + across * <usize>k, to = y + offset<T>(k);
      let j = first;
      for (; j < whole; j += tile) tileOf<T>(to + down * <usize>j, line + offset<T>(j), down, across);
      for (; j < end; j++) apart<T>(to + down * <usize>j, line + offset<T>(j), tile, sizeof<T>(), across);
    }
    if (k < cols) {
      for (let j = first; j < end; j++) apart<T>(y + down * <usize>j + offset<T>(k), x + across * <usize>k + offset<T>(j), cols - k, sizeof<T>(), across);
    }
  }
}

/** A transposed copy to rows of two or three 32-bit elements, as from channels first to channels last. */
// @ts-ignore: decorator
@inline function thinRows(y: usize, x: usize, rows: i32, down: usize, across: usize, three: bool): void {
  for (; rows >= 4; rows -= 4, x += 16, y += down * 4) {
    const a = v128.load(x), b = v128.load(x + across);
    const low = v128.shuffle<u32>(a, b, 0, 4, 1, 5), high = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
    v128.store64_lane(y, low, 0);
    v128.store64_lane(y + down, low, 1);
    v128.store64_lane(y + down * 2, high, 0);
    v128.store64_lane(y + down * 3, high, 1);
    if (three) {
      const c = x + across * 2;
      store<u32>(y, load<u32>(c), 8);
      store<u32>(y + down, load<u32>(c, 4), 8);
      store<u32>(y + down * 2, load<u32>(c, 8), 8);
      store<u32>(y + down * 3, load<u32>(c, 12), 8);
    }
  }
  for (; rows > 0; rows--, x += 4, y += down) apart<u32>(y, x, three ? 3 : 2, 4, across);
}

/** A transposed copy of two or three rows of 32-bit elements, as from channels last to channels first. */
// @ts-ignore: decorator
@inline function fewRows(y: usize, x: usize, cols: i32, down: usize, across: usize, three: bool): void {
  // vectors reach into the line that follows: there is one only before the end
  for (; cols > 4; cols -= 4, x += across * 4, y += 16) {
    const a = v128.load(x), b = v128.load(x + across), c = v128.load(x + across * 2), d = v128.load(x + across * 3);
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    v128.store(y, v128.shuffle<u64>(ab, cd, 0, 2));
    v128.store(y + down, v128.shuffle<u64>(ab, cd, 1, 3));
    if (three) v128.store(y + down * 2, v128.shuffle<u64>(v128.shuffle<u32>(a, b, 2, 6, 3, 7), v128.shuffle<u32>(c, d, 2, 6, 3, 7), 0, 2));
  }
  apart<u32>(y, x, cols, 4, across);
  apart<u32>(y + down, x + 4, cols, 4, across);
  if (three) apart<u32>(y + down * 2, x + 8, cols, 4, across);
}

/** A tile of a transposed copy: one vector square, or 8 x 8 bytes. */
// @ts-ignore: decorator
@inline function tileOf<T>(y: usize, x: usize, down: usize, across: usize): void {
  if (sizeof<T>() == 8) {
    const a = v128.load(x), b = v128.load(x + across);
    v128.store(y, v128.shuffle<u64>(a, b, 0, 2));
    v128.store(y + down, v128.shuffle<u64>(a, b, 1, 3));
  } else if (sizeof<T>() == 4) {
    const a = v128.load(x), b = v128.load(x + across), c = v128.load(x + across * 2), d = v128.load(x + across * 3);
    const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
    v128.store(y, v128.shuffle<u64>(ab, cd, 0, 2));
    v128.store(y + down, v128.shuffle<u64>(ab, cd, 1, 3));
    const ef = v128.shuffle<u32>(a, b, 2, 6, 3, 7), gh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
    v128.store(y + down * 2, v128.shuffle<u64>(ef, gh, 0, 2));
    v128.store(y + down * 3, v128.shuffle<u64>(ef, gh, 1, 3));
  } else {
    const ab = bytePairs(x, across), cd = bytePairs(x + across * 2, across);
    const ef = bytePairs(x + across * 4, across), gh = bytePairs(x + across * 6, across);
    const p = v128.shuffle<u16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11), q = v128.shuffle<u16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11);
    twoRows(y, down, v128.shuffle<u32>(p, q, 0, 4, 1, 5));
    twoRows(y + down * 2, down, v128.shuffle<u32>(p, q, 2, 6, 3, 7));
    const r = v128.shuffle<u16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), s = v128.shuffle<u16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15);
    twoRows(y + down * 4, down, v128.shuffle<u32>(r, s, 0, 4, 1, 5));
    twoRows(y + down * 6, down, v128.shuffle<u32>(r, s, 2, 6, 3, 7));
  }
}

/** Eight bytes each of two lines, in turn. */
// @ts-ignore: decorator
@inline function bytePairs(x: usize, across: usize): v128 {
  return v128.shuffle<u8>(v128.load64_zero(x), v128.load64_zero(x + across), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline function twoRows(y: usize, down: usize, v: v128): void {
  v128.store64_lane(y, v, 0);
  v128.store64_lane(y + down, v, 1);
}

/** Rows of `rowBytes` of x, each with an element before and after it as often as `before` and `after` bytes hold; t of y and s of x in bytes. */
export function padRows(
  y: usize, x: usize, element: usize, n0: i32, n1: i32, rowBytes: usize, t0: usize, t1: usize, s0: usize, s1: usize, before: usize, after: usize,
  itemBytes: i32,
): void {
  let v: v128;
  if (itemBytes == 8) v = v128.splat<u64>(load<u64>(element));
  else if (itemBytes == 4) v = v128.splat<u32>(load<u32>(element));
  else v = v128.splat<u8>(load<u8>(element));
  for (let i = 0; i < n0; i++, y += t0, x += s0) {
    let to = y, from = x;
    for (let j = 0; j < n1; j++, to += t1, from += s1) {
      fillBytes(to, v, before);
      moveBytes(to + before, from, rowBytes);
      fillBytes(to + before + rowBytes, v, after);
    }
  }
}

export function place8(
  y: usize, x: usize, n0: i32, n1: i32, n2: i32, t0: i32, t1: i32, t2: i32, s0: i32, s1: i32, s2: i32,
): void {
  placed<u8>(y, x, n0, n1, n2, t0, t1, t2, s0, s1, s2);
}
export function place32(
  y: usize, x: usize, n0: i32, n1: i32, n2: i32, t0: i32, t1: i32, t2: i32, s0: i32, s1: i32, s2: i32,
): void {
  placed<u32>(y, x, n0, n1, n2, t0, t1, t2, s0, s1, s2);
}
export function place64(
  y: usize, x: usize, n0: i32, n1: i32, n2: i32, t0: i32, t1: i32, t2: i32, s0: i32, s1: i32, s2: i32,
): void {
  placed<u64>(y, x, n0, n1, n2, t0, t1, t2, s0, s1, s2);
}
