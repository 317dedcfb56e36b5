// Rows of bytes, whatever their elements. The last vector of a row overlaps the one before, so that no row ends in a loop over
// single elements; rows shorter than a vector are two overlapping words.

/** Rows of fewer bytes are moved by a loop: a call of memory.copy costs more. */
// @ts-ignore: decorator
@inline const COPY_BYTES: usize = 8192;
/** From so many bytes on vectors are stored where none crosses a line of the cache: 1,000 rows of 1,000 f32 to 4,016 bytes apart 91 us, else 115. */
// @ts-ignore: decorator
@inline const ALIGN_BYTES: usize = 256;

/** y = x for n bytes that do not overlap. */
// @ts-ignore: decorator
@inline export function moveBytes(y: usize, x: usize, n: usize): void {
  if (n >= COPY_BYTES) memory.copy(y, x, n);
  else if (n >= ALIGN_BYTES) moveAligned(y, x, n);
  else if (n >= 16) moveVectors(y, x, n);
  else if (n >= 8) moveWords<u64>(y, x, n);
  else if (n >= 4) moveWords<u32>(y, x, n);
  else if (n >= 2) moveWords<u16>(y, x, n);
  else if (n > 0) store<u8>(y, load<u8>(x));
}

// @ts-ignore: decorator
@inline function moveVectors(y: usize, x: usize, n: usize): void {
  const last = n - 16;
  for (let b: usize = 0; b < last; b += 16) v128.store(y + b, v128.load(x + b));
  v128.store(y + last, v128.load(x + last));
}

/** As moveVectors, for a long row: all stores but the first and the last are aligned. */
// @ts-ignore: decorator
@inline function moveAligned(y: usize, x: usize, n: usize): void {
  const last = n - 16;
  v128.store(y, v128.load(x));
  for (let b: usize = 16 - (y & 15); b < last; b += 16) v128.store(y + b, v128.load(x + b));
  v128.store(y + last, v128.load(x + last));
}

// @ts-ignore: decorator
@inline function moveWords<W>(y: usize, x: usize, n: usize): void {
  const last = n - sizeof<W>(), first = load<W>(x), second = load<W>(x + last);
  store<W>(y, first);
  store<W>(y + last, second);
}

/** `count` rows of n bytes each, `down` bytes apart in y and `across` in x; the choice by length is made once for all. */
export function moveRows(y: usize, x: usize, count: i32, n: usize, down: usize, across: usize): void {
  if (n >= COPY_BYTES) {
    for (; count > 0; count--, y += down, x += across) memory.copy(y, x, n);
  } else if (n >= ALIGN_BYTES) {
    for (; count > 0; count--, y += down, x += across) moveAligned(y, x, n);
  } else if (n >= 16) {
    for (; count > 0; count--, y += down, x += across) moveVectors(y, x, n);
  } else if (n >= 8) {
    for (; count > 0; count--, y += down, x += across) moveWords<u64>(y, x, n);
  } else if (n >= 4) {
    for (; count > 0; count--, y += down, x += across) moveWords<u32>(y, x, n);
  } else if (n >= 2) {
    for (; count > 0; count--, y += down, x += across) moveWords<u16>(y, x, n);
  } else if (n > 0) {
    for (; count > 0; count--, y += down, x += across) store<u8>(y, load<u8>(x));
  }
}

// @ts-ignore: decorator
@inline function fillVectors(y: usize, v: v128, n: usize): void {
  const last = n - 16;
  for (let b: usize = 0; b < last; b += 16) v128.store(y + b, v);
  v128.store(y + last, v);
}

/** n bytes of a pattern that repeats within 8. */
// @ts-ignore: decorator
@inline export function fillBytes(y: usize, v: v128, n: usize): void {
  if (n >= 16) fillVectors(y, v, n);
  else if (n >= 8) {
    v128.store64_lane(y, v, 0);
    v128.store64_lane(y + n - 8, v, 0);
  } else if (n >= 4) {
    v128.store32_lane(y, v, 0);
    v128.store32_lane(y + n - 4, v, 0);
  } else {
    for (let b: usize = 0; b < n; b++) v128.store8_lane(y + b, v, 0);
  }
}

/** `count` rows of n bytes, `down` bytes apart in y, each one element of x repeated; those are `across` bytes apart. */
// @ts-ignore: decorator
@inline export function repeatRows<T>(y: usize, x: usize, count: i32, n: usize, down: usize, across: usize): void {
  if (n >= 16) {
    for (; count > 0; count--, y += down, x += across) fillVectors(y, v128.splat<T>(load<T>(x)), n);
  } else if (sizeof<T>() < 8 && n >= 8) {
    const ones: u64 = sizeof<T>() == 1 ? 0x0101010101010101 : 0x0000000100000001;
    for (; count > 0; count--, y += down, x += across) {
      const word = <u64>load<T>(x) * ones;
      store<u64>(y, word);
      store<u64>(y + n - 8, word);
    }
  } else {
    for (; count > 0; count--, y += down, x += across) {
      const element = load<T>(x);
      for (let b: usize = 0; b < n; b += sizeof<T>()) store<T>(y + b, element);
    }
  }
}
