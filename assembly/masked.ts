// Selection by a mask of bytes, and the positions of what is not zero.

/** 16, 4 or 2 bytes of a mask as one vector of elements of T: all ones where they are not 0. */
// @ts-ignore: decorator
@inline function lanes<T>(mask: usize): v128 {
  if (sizeof<T>() == 1) return i8x16.ne(v128.load(mask), i8x16.splat(0));
  if (sizeof<T>() == 4) {
    return i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask))), i32x4.splat(0));
  }
  const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load16_lane(mask, i32x4.splat(0), 0)));
  return i64x2.ne(i64x2.extend_low_i32x4_u(words), i64x2.splat(0));
}

// @ts-ignore: decorator
@inline function splat<T>(value: T): v128 {
  return sizeof<T>() == 1 ? i8x16.splat(<i8>value) : sizeof<T>() == 4 ? i32x4.splat(<i32>value) : i64x2.splat(<i64>value);
}

/** y[i, j, k] = value[0] where (b[i, j, k] != 0) == (when != 0), else a[i, j, k]; y contiguous. */
// @ts-ignore: decorator
@inline function masked<T>(
  y: usize, a: usize, b: usize, value: usize, when: i32,
  n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  const fill = load<T>(value);
  const fills = splat<T>(fill);
  const flip = i8x16.splat(when != 0 ? 0 : -1);
  const width = 16 / <i32>sizeof<T>();
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      const row = a + <usize>(i * a0 + j * a1) * sizeof<T>();
      const mask = b + <usize>(i * b0 + j * b1);
      let k = 0;
      if (a2 == 1 && b2 == 1) {
        for (; k + width <= n2; k += width) {
          const chosen = v128.xor(lanes<T>(mask + <usize>k), flip);
          v128.store(y + <usize>k * sizeof<T>(), v128.bitselect(fills, v128.load(row + <usize>k * sizeof<T>()), chosen));
        }
      } else if (a2 == 1 && b2 == 0) {
        if ((load<u8>(mask) != 0) == (when != 0)) for (; k + width <= n2; k += width) v128.store(y + <usize>k * sizeof<T>(), fills);
        else for (; k + width <= n2; k += width) v128.store(y + <usize>k * sizeof<T>(), v128.load(row + <usize>k * sizeof<T>()));
      }
      for (; k < n2; k++) {
        const chosen = (load<u8>(mask + <usize>(k * b2)) != 0) == (when != 0);
        store<T>(y + <usize>k * sizeof<T>(), chosen ? fill : load<T>(row + <usize>(k * a2) * sizeof<T>()));
      }
      y += <usize>n2 * sizeof<T>();
    }
  }
}

export function maskedFill8(
  y: usize, a: usize, b: usize, value: usize, when: i32,
  n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  masked<u8>(y, a, b, value, when, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function maskedFill32(
  y: usize, a: usize, b: usize, value: usize, when: i32,
  n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  masked<u32>(y, a, b, value, when, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}
export function maskedFill64(
  y: usize, a: usize, b: usize, value: usize, when: i32,
  n0: i32, n1: i32, n2: i32, a0: i32, a1: i32, a2: i32, b0: i32, b1: i32, b2: i32,
): void {
  masked<u64>(y, a, b, value, when, n0, n1, n2, a0, a1, a2, b0, b1, b2);
}

/** y[i] (bytes) = 1 where the int32 x[i] is `wanted`, else 0. */
export function equalsIndex(y: usize, x: usize, n: i32, wanted: i32): void {
  for (let i = 0; i < n; i++) store<u8>(y + <usize>i, load<i32>(x + (<usize>i << 2)) == wanted ? 1 : 0);
}

// @ts-ignore: decorator
@inline function countOf<T>(x: usize, n: i32): i32 {
  const width = 16 / <i32>sizeof<T>();
  let count = 0, i = 0;
  for (; i + width <= n; i += width) {
    const v = v128.load(x + <usize>i * sizeof<T>());
    const set = v128.ne<T>(v, v128.splat<T>(0));
    const bits = sizeof<T>() == 1 ? i8x16.bitmask(set) : sizeof<T>() == 4 ? i32x4.bitmask(set) : i64x2.bitmask(set);
    count += popcnt<i32>(bits);
  }
  for (; i < n; i++) count += load<T>(x + <usize>i * sizeof<T>()) != <T>0 ? 1 : 0;
  return count;
}

/** How many elements are not zero; NaN is not. */
export function countNonzero(x: usize, n: i32): i32 { return countOf<real>(x, n); }
export function countNonzeroInt32(x: usize, n: i32): i32 { return countOf<i32>(x, n); }
export function countNonzeroUint8(x: usize, n: i32): i32 { return countOf<u8>(x, n); }

/** y[c, d] (int32) = coordinate d of the c-th element that is not zero, of n in the shape b (int32, ndim sizes). */
// @ts-ignore: decorator
@inline function places<T>(y: usize, x: usize, b: usize, n: i32, ndim: i32): void {
  for (let i = 0; i < n; i++) {
    if (load<T>(x + <usize>i * sizeof<T>()) == <T>0) continue;
    let rest = i;
    for (let d = ndim - 1; d >= 0; d--) {
      const size = load<i32>(b + (<usize>d << 2));
      const above = rest / size;
      store<i32>(y + (<usize>d << 2), rest - above * size);
      rest = above;
    }
    y += <usize>ndim << 2;
  }
}

export function nonzero(y: usize, x: usize, b: usize, n: i32, ndim: i32): void { places<real>(y, x, b, n, ndim); }
export function nonzeroInt32(y: usize, x: usize, b: usize, n: i32, ndim: i32): void { places<i32>(y, x, b, n, ndim); }
export function nonzeroUint8(y: usize, x: usize, b: usize, n: i32, ndim: i32): void { places<u8>(y, x, b, n, ndim); }
