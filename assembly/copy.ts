// Fill, strided copy, triangles, dtype conversion, and rows picked by index.
import { LANES, at } from "./vector";

/** From so many bytes on the engine's own fill is faster. */
// @ts-ignore: decorator
@inline const FILL_BYTES: usize = 4096;

/** y[i] = value. */
export function fill(y: usize, value: real, n: i32): void {
  const zero = sizeof<real>() == 8 ? reinterpret<u64>(<f64>value) == 0 : reinterpret<u32>(<f32>value) == 0; // not -0
  if (zero && at(n) >= FILL_BYTES) return memory.fill(y, 0, at(n));
  const v = v128.splat<real>(value);
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v);
  for (; i < n; i++) store<real>(y + at(i), value);
}

/** y[i] = x[i]: one load and one store an iteration, what elementwise kernels are measured against. */
export function copyVectors(y: usize, x: usize, n: i32): void {
  let i = 0;
  for (; i + LANES <= n; i += LANES) v128.store(y + at(i), v128.load(x + at(i)));
  for (; i < n; i++) store<real>(y + at(i), load<real>(x + at(i)));
}

/** y[i, j, k] = x[i, j, k] for contiguous y and strides of x in elements. */
// @ts-ignore: decorator
@inline function strided<T>(y: usize, x: usize, n0: i32, n1: i32, n2: i32, s0: i32, s1: i32, s2: i32): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = x + <usize>(i * s0 + j * s1) * sizeof<T>();
      if (s2 == 1) memory.copy(y, row, <usize>n2 * sizeof<T>());
      else for (let k = 0; k < n2; k++) store<T>(y + <usize>k * sizeof<T>(), load<T>(row + <usize>(k * s2) * sizeof<T>()));
      y += <usize>n2 * sizeof<T>();
    }
  }
}

export function copy8(y: usize, x: usize, n0: i32, n1: i32, n2: i32, s0: i32, s1: i32, s2: i32): void {
  strided<u8>(y, x, n0, n1, n2, s0, s1, s2);
}
export function copy32(y: usize, x: usize, n0: i32, n1: i32, n2: i32, s0: i32, s1: i32, s2: i32): void {
  strided<u32>(y, x, n0, n1, n2, s0, s1, s2);
}
export function copy64(y: usize, x: usize, n0: i32, n1: i32, n2: i32, s0: i32, s1: i32, s2: i32): void {
  strided<u64>(y, x, n0, n1, n2, s0, s1, s2);
}

/** Rows of fewer bytes are moved by a loop: a call of memory.copy costs more. */
// @ts-ignore: decorator
@inline const COPY_BYTES: i32 = 8192;
/** A transposed copy goes by blocks of so many rows of y, so that the lines read are used whole and those written stay in the cache. */
// @ts-ignore: decorator
@inline const BLOCK: i32 = 16;

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
  for (let i = 0; i < n0; i++) {
    const plane = y + offset<T>(i * t0), source = x + offset<T>(i * s0);
    if (t2 == 1 && s1 == 1 && s2 != 1 && s2 != 0 && n1 > 1) {
      transposed<T>(plane, source, n1, n2, t1, s2);
      continue;
    }
    for (let j = 0; j < n1; j++) {
      const to = plane + offset<T>(j * t1), from = source + offset<T>(j * s1);
      if (t2 == 1 && s2 == 1 && n2 * <i32>sizeof<T>() >= COPY_BYTES) {
        memory.copy(to, from, offset<T>(n2));
        continue;
      }
      let k = 0;
      if (t2 == 1 && s2 == 1) k = moved<T>(to, from, n2);
      else if (t2 == 1 && s2 == 0) k = repeated<T>(to, from, n2);
      else if (t2 == 1 && s2 == -1) k = reversed<T>(to, from, n2);
      for (; k < n2; k++) store<T>(to + offset<T>(k * t2), load<T>(from + offset<T>(k * s2)));
    }
  }
}

/** y[k] = x[k] in whole vectors; answers how many elements. */
// @ts-ignore: decorator
@inline function moved<T>(y: usize, x: usize, n: i32): i32 {
  let k = 0;
  for (; k + lanesOf<T>() <= n; k += lanesOf<T>()) v128.store(y + offset<T>(k), v128.load(x + offset<T>(k)));
  return k;
}

/** y[k] = x[0] in whole vectors; answers how many elements. */
// @ts-ignore: decorator
@inline function repeated<T>(y: usize, x: usize, n: i32): i32 {
  const v = v128.splat<T>(load<T>(x));
  let k = 0;
  for (; k + lanesOf<T>() <= n; k += lanesOf<T>()) v128.store(y + offset<T>(k), v);
  return k;
}

/** y[k] = x[-k] in whole vectors; answers how many elements. */
// @ts-ignore: decorator
@inline function reversed<T>(y: usize, x: usize, n: i32): i32 {
  let k = 0;
  for (; k + lanesOf<T>() <= n; k += lanesOf<T>()) {
    const v = v128.load(x - offset<T>(k + lanesOf<T>() - 1));
    if (sizeof<T>() == 8) v128.store(y + offset<T>(k), v128.shuffle<u64>(v, v, 1, 0));
    else if (sizeof<T>() == 4) v128.store(y + offset<T>(k), v128.shuffle<u32>(v, v, 3, 2, 1, 0));
    else v128.store(y + offset<T>(k), v128.shuffle<u8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  }
  return k;
}

/** y[j t + k] = x[j + k s], j < rows, k < cols. */
// @ts-ignore: decorator
@inline function transposed<T>(y: usize, x: usize, rows: i32, cols: i32, t: i32, s: i32): void {
  const tile = sizeof<T>() == 8 ? 2 : 4; // bytes go one by one, but by tiles too
  const down = offset<T>(t), across = offset<T>(s);
  for (let first = 0; first < rows; first += BLOCK) {
    const end = min(rows, first + BLOCK), whole = first + (end - first) / tile * tile;
    let k = 0;
    for (; k + tile <= cols; k += tile) {
      const line = x + across * <usize>k;
      let j = first;
      for (; j < whole; j += tile) tileOf<T>(y + down * <usize>j + offset<T>(k), line + offset<T>(j), down, across);
      for (; j < end; j++) {
        for (let c = 0; c < tile; c++) store<T>(y + down * <usize>j + offset<T>(k + c), load<T>(line + across * <usize>c + offset<T>(j)));
      }
    }
    for (; k < cols; k++) {
      for (let j = first; j < end; j++) store<T>(y + down * <usize>j + offset<T>(k), load<T>(x + across * <usize>k + offset<T>(j)));
    }
  }
}

/** A tile of a transposed copy: one vector square, or 4 x 4 bytes. */
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
    for (let c: usize = 0; c < 4; c++, y++, x += across) {
      store<T>(y, load<T>(x));
      store<T>(y + down, load<T>(x, 1));
      store<T>(y + down * 2, load<T>(x, 2));
      store<T>(y + down * 3, load<T>(x, 3));
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

/** y[h, i, j] = x[h, i, j] where j - i <= diagonal, else 0. */
export function tril(y: usize, x: usize, outer: i32, rows: i32, cols: i32, diagonal: i32, itemBytes: usize): void {
  const rowBytes = <usize>cols * itemBytes;
  for (let h = 0; h < outer; h++) {
    for (let i = 0; i < rows; i++) {
      const kept = <usize>max(0, min(cols, i + diagonal + 1)) * itemBytes;
      memory.copy(y, x, kept);
      memory.fill(y + kept, 0, rowBytes - kept);
      y += rowBytes;
      x += rowBytes;
    }
  }
}
/** y[h, i, j] = x[h, i, j] where j - i >= diagonal, else 0. */
export function triu(y: usize, x: usize, outer: i32, rows: i32, cols: i32, diagonal: i32, itemBytes: usize): void {
  const rowBytes = <usize>cols * itemBytes;
  for (let h = 0; h < outer; h++) {
    for (let i = 0; i < rows; i++) {
      const cut = <usize>max(0, min(cols, i + diagonal)) * itemBytes;
      memory.fill(y, 0, cut);
      memory.copy(y + cut, x + cut, rowBytes - cut);
      y += rowBytes;
      x += rowBytes;
    }
  }
}

// @ts-ignore: decorator
@inline function from<T>(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<real>(y + at(i), <real>load<T>(x + <usize>i * sizeof<T>()));
}

export function fromFloat32(y: usize, x: usize, n: i32): void { from<f32>(y, x, n); }
export function fromFloat64(y: usize, x: usize, n: i32): void { from<f64>(y, x, n); }
export function fromInt32(y: usize, x: usize, n: i32): void { from<i32>(y, x, n); }
export function fromUint8(y: usize, x: usize, n: i32): void { from<u8>(y, x, n); }

/** Towards zero; beyond the range the nearest end, NaN gives 0. */
export function toInt32(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const v = load<real>(x + at(i));
    store<i32>(y + (<usize>i << 2), <i32>v);
  }
}
/** Towards zero, modulo 256. */
export function toUint8(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const v = load<real>(x + at(i));
    store<u8>(y + <usize>i, <u8><i32>v);
  }
}
/** 1 where x is not 0. */
export function toBool(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(y + <usize>i, load<real>(x + at(i)) != 0 ? 1 : 0);
}

/** y[i, :] = (x[index[i], :] - mean) / deviation for rows of bytes, such as images. */
export function takeRowsUint8(y: usize, x: usize, index: usize, count: i32, cols: i32, scale: real, shift: real): void {
  const s = v128.splat<real>(scale), t = v128.splat<real>(shift);
  for (let i = 0; i < count; i++) {
    const row = x + <usize>load<i32>(index + (<usize>i << 2)) * <usize>cols;
    let j = 0;
    if (sizeof<real>() == 4) {
      for (; j + 16 <= cols; j += 16) {
        const bytes = v128.load(row + <usize>j), to = y + at(j);
        const low = i16x8.extend_low_i8x16_u(bytes), high = i16x8.extend_high_i8x16_u(bytes);
        v128.store(to, v128.add<real>(v128.mul<real>(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low)), s), t));
        v128.store(to, v128.add<real>(v128.mul<real>(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low)), s), t), 16);
        v128.store(to, v128.add<real>(v128.mul<real>(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high)), s), t), 32);
        v128.store(to, v128.add<real>(v128.mul<real>(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high)), s), t), 48);
      }
      for (; j + 4 <= cols; j += 4) {
        const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(row + <usize>j)));
        v128.store(y + at(j), v128.add<real>(v128.mul<real>(f32x4.convert_i32x4_u(bytes), s), t));
      }
    }
    for (; j < cols; j++) store<real>(y + at(j), <real>load<u8>(row + <usize>j) * scale + shift);
    y += at(cols);
  }
}
/** y[i, :] = x[index[i], :]. */
export function takeRows(y: usize, x: usize, index: usize, count: i32, rowBytes: usize): void {
  for (let i = 0; i < count; i++) {
    memory.copy(y + <usize>i * rowBytes, x + <usize>load<i32>(index + (<usize>i << 2)) * rowBytes, rowBytes);
  }
}
