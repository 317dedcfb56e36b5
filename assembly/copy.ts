// Fill, strided copy, triangles, and rows picked by index.
import { moveBytes } from "./rows";
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
    moveBytes(y + <usize>i * rowBytes, x + <usize>load<i32>(index + (<usize>i << 2)) * rowBytes, rowBytes);
  }
}
