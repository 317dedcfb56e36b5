// How many elements are not zero, and where they are.

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
