// Elements moved by index along one axis. The positions of an index tensor are walked in row-major order, three axes
// [n0, n1, n2] a call; at each, `a` steps through the tensor that has the axis (0 along the axis itself), `b` through the
// index, `c` through the source, all in elements. An index j names the element j * step further on; below 0 `wrap` is
// added, which is 0 where negatives are not allowed. Every kernel checks 0 <= j < size before it touches memory and
// answers 0, or 1 + the position of the first index out of range.
import { moveBytes } from "./rows";
import { LANES, at } from "./vector";

// @ts-ignore: decorator
@inline function resolved(index: usize, wrap: i32): i32 {
  const j = load<i32>(index);
  return j < 0 ? j + wrap : j;
}

/** Byte offset of element i of type T. */
// @ts-ignore: decorator
@inline function bytes<T>(i: i32): usize {
  return <usize>i * sizeof<T>();
}

/** y[k p] = x[k q], k < n. */
// @ts-ignore: decorator
@inline function move<T>(y: usize, x: usize, n: i32, p: i32, q: i32): void {
  if (p == 1 && q == 1) moveBytes(y, x, bytes<T>(n));
  else for (let k = 0; k < n; k++) store<T>(y + bytes<T>(k * p), load<T>(x + bytes<T>(k * q)));
}

/** y[i, j, k] = x[i, j, k + index step]. */
// @ts-ignore: decorator
@inline function gather<T>(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  step: i32, size: i32, wrap: i32,
): i32 {
  let done = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = x + bytes<T>(i * a0 + j * a1);
      const numbers = index + bytes<i32>(i * b0 + j * b1);
      if (b2 == 0) {
        const place = resolved(numbers, wrap);
        if (<u32>place >= <u32>size) return done + 1;
        move<T>(y, row + bytes<T>(place * step), n2, 1, a2);
      } else {
        for (let k = 0; k < n2; k++) {
          const place = resolved(numbers + bytes<i32>(k * b2), wrap);
          if (<u32>place >= <u32>size) return done + k + 1;
          store<T>(y + bytes<T>(k), load<T>(row + bytes<T>(k * a2 + place * step)));
        }
      }
      y += bytes<T>(n2);
      done += n2;
    }
  }
  return 0;
}

export function gather8(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  step: i32, size: i32, wrap: i32,
): i32 {
  return gather<u8>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, step, size, wrap);
}
export function gather32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  step: i32, size: i32, wrap: i32,
): i32 {
  return gather<u32>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, step, size, wrap);
}
export function gather64(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  step: i32, size: i32, wrap: i32,
): i32 {
  return gather<u64>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, step, size, wrap);
}

/** y[i, j, k + index step] = x[i, j, k]; the last of several to one place stays. */
// @ts-ignore: decorator
@inline function scatter<T>(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  let done = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = y + bytes<T>(i * a0 + j * a1);
      const numbers = index + bytes<i32>(i * b0 + j * b1);
      const source = x + bytes<T>(i * c0 + j * c1);
      if (b2 == 0) {
        const place = resolved(numbers, wrap);
        if (<u32>place >= <u32>size) return done + 1;
        move<T>(row + bytes<T>(place * step), source, n2, a2, c2);
      } else {
        for (let k = 0; k < n2; k++) {
          const place = resolved(numbers + bytes<i32>(k * b2), wrap);
          if (<u32>place >= <u32>size) return done + k + 1;
          store<T>(row + bytes<T>(k * a2 + place * step), load<T>(source + bytes<T>(k * c2)));
        }
      }
      done += n2;
    }
  }
  return 0;
}

export function scatter8(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return scatter<u8>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatter32(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return scatter<u32>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}
export function scatter64(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32,
): i32 {
  return scatter<u64>(y, x, index, n0, n1, n2, a0, a1, a2, b0, b1, b2, c0, c1, c2, step, size, wrap);
}

/** y[i, j, k + index step] = itself + alpha x[i, j, k], in the order of the positions; y holds what is added to. */
export function scatterAdd(
  y: usize, x: usize, index: usize, n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
  c0: i32, c1: i32, c2: i32, step: i32, size: i32, wrap: i32, alpha: real,
): i32 {
  const factor = v128.splat<real>(alpha);
  let done = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = y + at(i * a0 + j * a1);
      const numbers = index + bytes<i32>(i * b0 + j * b1);
      const source = x + at(i * c0 + j * c1);
      if (b2 == 0) {
        const place = resolved(numbers, wrap);
        if (<u32>place >= <u32>size) return done + 1;
        const to = row + at(place * step);
        let k = 0;
        if (a2 == 1 && c2 == 1) {
          for (; k + LANES <= n2; k += LANES) {
            v128.store(to + at(k), v128.add<real>(v128.load(to + at(k)), v128.mul<real>(v128.load(source + at(k)), factor)));
          }
        }
        for (; k < n2; k++) {
          store<real>(to + at(k * a2), load<real>(to + at(k * a2)) + load<real>(source + at(k * c2)) * alpha);
        }
      } else {
        for (let k = 0; k < n2; k++) {
          const place = resolved(numbers + bytes<i32>(k * b2), wrap);
          if (<u32>place >= <u32>size) return done + k + 1;
          const to = row + at(k * a2 + place * step);
          store<real>(to, load<real>(to) + load<real>(source + at(k * c2)) * alpha);
        }
      }
      done += n2;
    }
  }
  return 0;
}
