// The 128-bit vector of the build's element type: 4 lanes of f32 or 2 of f64.

/** Elements of `real` in one vector. */
// @ts-ignore: decorator
@inline export const LANES: i32 = 16 / sizeof<real>();
/** log2 of the bytes of one element. */
// @ts-ignore: decorator
@inline export const SHIFT: usize = alignof<real>();

/** Byte offset of element i. */
// @ts-ignore: decorator
@inline export function at(i: i32): usize {
  return (<usize>i) << SHIFT;
}

/** Lane 0 of a vector. */
// @ts-ignore: decorator
@inline export function lane0(x: v128): real {
  return v128.extract_lane<real>(x, 0);
}

/** Sum of the lanes, pairwise: (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline export function sumLanes(x: v128): real {
  if (sizeof<real>() == 8) return <real>(f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1));
  return <real>((f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 2)) + (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3)));
}

/** Largest lane; NaN if any lane is NaN. */
// @ts-ignore: decorator
@inline export function maxLanes(x: v128): real {
  if (sizeof<real>() == 8) return <real>max(f64x2.extract_lane(x, 0), f64x2.extract_lane(x, 1));
  return <real>max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** Elements 0, 2, 4 ... of two vectors. */
// @ts-ignore: decorator
@inline export function evens(a: v128, b: v128): v128 {
  return sizeof<real>() == 8 ? v128.shuffle<f64>(a, b, 0, 2) : v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

/** Elements 1, 3, 5 ... of two vectors. */
// @ts-ignore: decorator
@inline export function odds(a: v128, b: v128): v128 {
  return sizeof<real>() == 8 ? v128.shuffle<f64>(a, b, 1, 3) : v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}
