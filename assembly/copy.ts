// Fill, strided copy, triangles, dtype conversion, and rows picked by index.
import { LANES, at } from "./vector";

/** y[i] = value. */
export function fill(y: usize, value: real, n: i32): void {
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

/** y[i, j, k] = x[i, j, k] for any strides, in elements: t of y, s of x. */
// @ts-ignore: decorator
@inline function placed<T>(
  y: usize, x: usize, n0: i32, n1: i32, n2: i32, t0: i32, t1: i32, t2: i32, s0: i32, s1: i32, s2: i32,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const to = y + <usize>(i * t0 + j * t1) * sizeof<T>();
      const from = x + <usize>(i * s0 + j * s1) * sizeof<T>();
      if (t2 == 1 && s2 == 1) memory.copy(to, from, <usize>n2 * sizeof<T>());
      else for (let k = 0; k < n2; k++) store<T>(to + <usize>(k * t2) * sizeof<T>(), load<T>(from + <usize>(k * s2) * sizeof<T>()));
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
