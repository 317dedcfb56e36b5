// Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3): element i is a
// function of (seed, stream, i), so any split over threads draws the same numbers. Counter: block, 0, stream in two words;
// key: seed, and what the words are for (a Purpose), so that uses of one stream are independent.
import { C, constant } from "./constants";
import { log } from "./elementary";
import { zip } from "./elementwise/map";
import { T, step } from "./tables";
import { at } from "./vector";

const enum Purpose { uniform, normal, words, integers, dropout }

// @ts-ignore: decorator
@inline function evenLanes(x: v128, y: v128): v128 {
  return v128.shuffle<i32>(x, y, 0, 2, 4, 6);
}
// @ts-ignore: decorator
@inline function oddLanes(x: v128, y: v128): v128 {
  return v128.shuffle<i32>(x, y, 1, 3, 5, 7);
}

/**
 * Blocks first .. first + 7, one a lane: words 0..3 of the first four at out + 0, 16, 32, 48, of the others at out + 64 and
 * on. Two vectors share the constants of a round.
 */
// @ts-ignore: decorator
@inline function eightBlocks(out: usize, first: u32, s0: u32, s1: u32, k0: u32, k1: u32): void {
  let a = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3)), e = i32x4.add(a, i32x4.splat(4));
  let b = i32x4.splat(0), f = b, c = i32x4.splat(s0), g = c, d = i32x4.splat(s1), h = d;
  for (let round = 0; round < 10; round++) {
    const p = i32x4.splat(0xd2511f53), q = i32x4.splat(0xcd9e8d57), u = i32x4.splat(k0), v = i32x4.splat(k1);
    const x = i64x2.extmul_low_i32x4_u(a, p), y = i64x2.extmul_high_i32x4_u(a, p);
    const z = i64x2.extmul_low_i32x4_u(c, q), w = i64x2.extmul_high_i32x4_u(c, q);
    a = v128.xor(v128.xor(oddLanes(z, w), b), u);
    c = v128.xor(v128.xor(oddLanes(x, y), d), v);
    b = evenLanes(z, w);
    d = evenLanes(x, y);
    const i = i64x2.extmul_low_i32x4_u(e, p), j = i64x2.extmul_high_i32x4_u(e, p);
    const k = i64x2.extmul_low_i32x4_u(g, q), l = i64x2.extmul_high_i32x4_u(g, q);
    e = v128.xor(v128.xor(oddLanes(k, l), f), u);
    g = v128.xor(v128.xor(oddLanes(i, j), h), v);
    f = evenLanes(k, l);
    h = evenLanes(i, j);
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  v128.store(out, a, 0);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
  v128.store(out, e, 64);
  v128.store(out, f, 80);
  v128.store(out, g, 96);
  v128.store(out, h, 112);
}

/**
 * Elements first .. first + n - 1 of a stream, by Op.part(y, words, a, b) from four blocks at a time; Op.words() is how many
 * words an element takes, Op.bytes() its size. `first` is a multiple of 32.
 */
// @ts-ignore: decorator
@inline function draw<Op>(y: usize, n: i32, first: i32, seed: u32, s0: u32, s1: u32, purpose: u32, scratch: usize, a: v128, b: v128): void {
  const op = changetype<Op>(0);
  const per = 16 / op.words(), bytes = <usize>op.bytes();
  for (let i = 0; i < n; i += 2 * per) {
    eightBlocks(scratch, <u32>(first + i) / <u32>(per >> 2), s0, s1, seed, purpose);
    for (let half = 0; half < 2; half++) {
      const j = i + half * per;
      const words = scratch + (<usize>half << 6);
      if (j + per <= n) op.part(y + <usize>j * bytes, words, a, b);
      else if (j < n) {
        op.part(scratch + 128, words, a, b);
        memory.copy(y + <usize>j * bytes, scratch + 128, <usize>(n - j) * bytes);
      }
    }
  }
}

/** Four vectors at `out` as a 4 x 4 matrix, transposed. */
// @ts-ignore: decorator
@inline function transpose(out: usize, from: usize): void {
  const a = v128.load(from, 0), b = v128.load(from, 16), c = v128.load(from, 32), d = v128.load(from, 48);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7), gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), 0);
  v128.store(out, v128.shuffle<i32>(ab, cd, 2, 3, 6, 7), 16);
  v128.store(out, v128.shuffle<i32>(ef, gh, 0, 1, 4, 5), 32);
  v128.store(out, v128.shuffle<i32>(ef, gh, 2, 3, 6, 7), 48);
}

/** One block: out[0..3] (uint32) from counter (c0..c3) and key (k0, k1). */
export function philox(out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void {
  for (let round = 0; round < 10; round++) {
    const p = <u64>c0 * 0xd2511f53, q = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(q >> 32) ^ c1 ^ k0;
    c2 = <u32>(p >> 32) ^ c3 ^ k1;
    c1 = <u32>q;
    c3 = <u32>p;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  store<u32>(out, c0);
  store<u32>(out, c1, 4);
  store<u32>(out, c2, 8);
  store<u32>(out, c3, 12);
}

/** Lanes 2 and 3 moved to 0 and 1. */
// @ts-ignore: decorator
@inline function upper(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 1);
}

/** 53 bits of lanes 0 and 1 of two words as f64 in [0, 1). */
// @ts-ignore: decorator
@inline function unit53(high: v128, low: v128): v128 {
  const h = f64x2.mul(f64x2.convert_low_i32x4_u(i32x4.shr_u(high, 5)), f64x2.splat(67108864));
  return f64x2.mul(f64x2.add(h, f64x2.convert_low_i32x4_u(i32x4.shr_u(low, 6))), f64x2.splat(1.1102230246251565e-16));
}

/** low + range u for 24 bits of lanes 0 and 1, in f64. */
// @ts-ignore: decorator
@inline function scaled24(word: v128, low: v128, range: v128): v128 {
  const u = f64x2.mul(f64x2.convert_low_i32x4_u(i32x4.shr_u(word, 8)), f64x2.splat(5.9604644775390625e-8));
  return f64x2.add(low, f64x2.mul(range, u));
}

/** Two blocks as four f64. */
// @ts-ignore: decorator
@inline function interleave(y: usize, a: v128, b: v128, c: v128, d: v128, low: v128, range: v128): void {
  const p = f64x2.add(low, f64x2.mul(range, unit53(a, b))), q = f64x2.add(low, f64x2.mul(range, unit53(c, d)));
  v128.store(y, v128.shuffle<i64>(p, q, 0, 2), 0);
  v128.store(y, v128.shuffle<i64>(p, q, 1, 3), 16);
}

class Uniform {
  @inline words(): i32 { return sizeof<real>() == 4 ? 1 : 2; }
  @inline bytes(): i32 { return sizeof<real>(); }
  @inline part(y: usize, words: usize, low: v128, range: v128): void {
    if (sizeof<real>() == 4) {
      transpose(words, words);
      for (let j: usize = 0; j < 64; j += 16) {
        const w = v128.load(words + j);
        const p = f32x4.demote_f64x2_zero(scaled24(w, low, range)), q = f32x4.demote_f64x2_zero(scaled24(upper(w), low, range));
        v128.store(y + j, v128.shuffle<i64>(p, q, 0, 2));
      }
    } else {
      const a = v128.load(words, 0), b = v128.load(words, 16), c = v128.load(words, 32), d = v128.load(words, 48);
      interleave(y, a, b, c, d, low, range);
      interleave(y + 32, upper(a), upper(b), upper(c), upper(d), low, range);
    }
  }
}

/**
 * y[i] uniform in [low, high), 24 random bits in f32 and 53 in f64, of element first + i of stream (s0, s1); first is a
 * multiple of 32. `scratch`: 384 bytes.
 */
export function uniform(y: usize, n: i32, first: i32, low: f64, high: f64, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  draw<Uniform>(y, n, first, seed, s0, s1, Purpose.uniform, scratch, f64x2.splat(low), f64x2.splat(high - low));
}

// @ts-ignore: decorator
@inline function cosine(f: v128): v128 {
  const z = v128.mul<real>(f, f);
  let p: v128;
  if (sizeof<real>() == 4) p = constant(T.quarterTurn + 9);
  else {
    p = constant(T.quarterTurn + 17);
    p = step(p, z, T.quarterTurn + 15);
    p = step(p, z, T.quarterTurn + 13);
    p = step(p, z, T.quarterTurn + 11);
    p = step(p, z, T.quarterTurn + 9);
  }
  p = step(p, z, T.quarterTurn + 7);
  p = step(p, z, T.quarterTurn + 5);
  p = step(p, z, T.quarterTurn + 3);
  p = step(p, z, T.quarterTurn + 1);
  return step(p, z, C.one);
}

// @ts-ignore: decorator
@inline function sine(f: v128): v128 {
  const z = v128.mul<real>(f, f);
  let p: v128;
  if (sizeof<real>() == 4) p = constant(T.quarterTurn + 8);
  else {
    p = constant(T.quarterTurn + 16);
    p = step(p, z, T.quarterTurn + 14);
    p = step(p, z, T.quarterTurn + 12);
    p = step(p, z, T.quarterTurn + 10);
    p = step(p, z, T.quarterTurn + 8);
  }
  p = step(p, z, T.quarterTurn + 6);
  p = step(p, z, T.quarterTurn + 4);
  p = step(p, z, T.quarterTurn + 2);
  p = step(p, z, T.quarterTurn);
  return v128.mul<real>(p, f);
}

/** sqrt(-2 log u) (cos, sin)(2 pi v) for u in (0, 1], v in [0, 1), at y and z. */
// @ts-ignore: decorator
@inline function boxMuller(y: usize, z: usize, u: v128, v: v128): void {
  const r = v128.sqrt<real>(v128.mul<real>(log(u), v128.neg<real>(constant(C.two))));
  const t = v128.mul<real>(v, v128.splat<real>(4));
  const quarter = v128.nearest<real>(t);
  const f = v128.sub<real>(t, quarter);
  const s = sine(f), c = cosine(f);
  const first = v128.eq<real>(quarter, constant(C.one));
  const second = v128.eq<real>(quarter, constant(C.two));
  const third = v128.eq<real>(quarter, v128.splat<real>(3));
  const swap = v128.or(first, third);
  const x = v128.xor(v128.bitselect(s, c, swap), v128.and(constant(C.sign), v128.or(first, second)));
  const w = v128.xor(v128.bitselect(c, s, swap), v128.and(constant(C.sign), v128.or(second, third)));
  v128.store(y, v128.mul<real>(r, x));
  v128.store(z, v128.mul<real>(r, w));
}

/** A word as f32 in (0, 1]. */
// @ts-ignore: decorator
@inline function open32(word: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_u(word), f32x4.splat(2.3283064365386963e-10)), f32x4.splat(1.1641532182693481e-10));
}

// @ts-ignore: decorator
@inline function unit24(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(word, 8)), f32x4.splat(5.9604644775390625e-8));
}

class Normal {
  @inline words(): i32 { return sizeof<real>() == 4 ? 1 : 2; }
  @inline bytes(): i32 { return sizeof<real>(); }
  @inline part(y: usize, words: usize, _a: v128, _b: v128): void {
    const a = v128.load(words, 0), b = v128.load(words, 16), c = v128.load(words, 32), d = v128.load(words, 48);
    if (sizeof<real>() == 4) {
      boxMuller(words, words + 16, open32(a), unit24(b));
      boxMuller(words + 32, words + 48, open32(c), unit24(d));
      transpose(y, words);
    } else {
      for (let j: usize = 0; j < 64; j += 32) {
        const h = j == 0 ? a : upper(a), i = j == 0 ? b : upper(b), k = j == 0 ? c : upper(c), l = j == 0 ? d : upper(d);
        boxMuller(words, words + 16, f64x2.sub(f64x2.splat(1), unit53(h, i)), unit53(k, l));
        const p = v128.load(words, 0), q = v128.load(words, 16);
        v128.store(y + j, v128.shuffle<i64>(p, q, 0, 2), 0);
        v128.store(y + j, v128.shuffle<i64>(p, q, 1, 3), 16);
      }
    }
  }
}

/**
 * y[i] normal with mean 0 and deviation 1 (Box and Muller 1958): of words a b c d of a block, f32 takes the pairs (a, b)
 * and (c, d), f64 the pair (ab, cd). `first` and `scratch` as in uniform().
 */
export function normal(y: usize, n: i32, first: i32, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  const none = v128.splat<real>(0);
  draw<Normal>(y, n, first, seed, s0, s1, Purpose.normal, scratch, none, none);
}

class Words {
  @inline words(): i32 { return 1; }
  @inline bytes(): i32 { return 4; }
  @inline part(y: usize, words: usize, _a: v128, _b: v128): void { transpose(y, words); }
}

/** y[i] = word first + i (uint32) of stream (s0, s1); `first` and `scratch` as in uniform(). */
export function randomWords(y: usize, n: i32, first: i32, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  const none = v128.splat<real>(0);
  draw<Words>(y, n, first, seed, s0, s1, Purpose.words, scratch, none, none);
}

/** Lanes 0 and 1 of floor(low + range u) for 64 bits u of two words, in the low words of an i64x2. */
// @ts-ignore: decorator
@inline function bounded(low: v128, high: v128): v128 {
  return i64x2.shr_u(i64x2.add(high, i64x2.shr_u(low, 32)), 32);
}

class Integers {
  @inline words(): i32 { return 2; }
  @inline bytes(): i32 { return 4; }
  @inline part(y: usize, words: usize, from: v128, r: v128): void {
    const a = v128.load(words, 0), b = v128.load(words, 16), c = v128.load(words, 32), d = v128.load(words, 48);
    const p = evenLanes(
      bounded(i64x2.extmul_low_i32x4_u(a, r), i64x2.extmul_low_i32x4_u(b, r)),
      bounded(i64x2.extmul_high_i32x4_u(a, r), i64x2.extmul_high_i32x4_u(b, r)),
    );
    const q = evenLanes(
      bounded(i64x2.extmul_low_i32x4_u(c, r), i64x2.extmul_low_i32x4_u(d, r)),
      bounded(i64x2.extmul_high_i32x4_u(c, r), i64x2.extmul_high_i32x4_u(d, r)),
    );
    v128.store(y, i32x4.add(from, v128.shuffle<i32>(p, q, 0, 4, 1, 5)), 0);
    v128.store(y, i32x4.add(from, v128.shuffle<i32>(p, q, 2, 6, 3, 7)), 16);
  }
}

/** y[i] (int32) = low + floor(range u), u of 64 random bits; `first` and `scratch` as in uniform(). */
export function randint(y: usize, n: i32, first: i32, low: i32, range: u32, seed: u32, s0: u32, s1: u32, scratch: usize): void {
  draw<Integers>(y, n, first, seed, s0, s1, Purpose.integers, scratch, i32x4.splat(low), i32x4.splat(range));
}

/** y = 0 .. n - 1 (int32) in an order that the n words at x decide (Fisher and Yates; Durstenfeld 1964). */
export function shuffle(y: usize, x: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<i32>(y + (<usize>i << 2), i);
  for (let i = n - 1; i > 0; i--) {
    const word = <u64>load<u32>(x + (<usize>i << 2));
    const p = y + (<usize>i << 2), q = y + (((word * <u64>(i + 1)) >> 32) << 2) as usize;
    const other = load<i32>(p);
    store<i32>(p, load<i32>(q));
    store<i32>(q, other);
  }
}

/** y = 1 where a < b, else 0. */
class Below {
  @inline vec(a: v128, b: v128): v128 { return v128.and(v128.lt<real>(a, b), constant(C.one)); }
}

/** y[i] = 1 with probability b[i], else 0, for uniform a. */
export function bernoulli(y: usize, a: usize, b: usize, n: i32): void { zip<Below>(y, a, b, n); }

// @ts-ignore: decorator
@inline function dropoutPart(y: usize, x: usize, words: usize, bound: v128, scale: v128): void {
  for (let j: usize = 0; j < 64; j += 16) {
    const keep = i32x4.ge_u(v128.load(words + j), bound);
    if (sizeof<real>() == 4) v128.store(y + j, v128.and(v128.mul<real>(v128.load(x + j), scale), keep));
    else {
      v128.store(y + 2 * j, v128.and(v128.mul<real>(v128.load(x + 2 * j), scale), v128.shuffle<i32>(keep, keep, 0, 0, 1, 1)), 0);
      v128.store(y + 2 * j, v128.and(v128.mul<real>(v128.load(x + 2 * j, 16), scale), v128.shuffle<i32>(keep, keep, 2, 2, 3, 3)), 16);
    }
  }
}

/** y[i] = scale x[i] where word first + i is >= threshold, else 0; `first` and `scratch` as in uniform(). */
export function dropout(
  y: usize, x: usize, n: i32, first: i32, threshold: u32, scale: f64, seed: u32, s0: u32, s1: u32, scratch: usize,
): void {
  const bound = i32x4.splat(threshold), factor = v128.splat<real>(<real>scale);
  for (let i = 0; i < n; i += 32) {
    eightBlocks(scratch, <u32>(first + i) >> 2, s0, s1, seed, Purpose.dropout);
    for (let j = i; j < min(n, i + 32); j += 16) {
      const words = scratch + (<usize>(j - i) << 2);
      transpose(words, words);
      if (j + 16 <= n) dropoutPart(y + at(j), x + at(j), words, bound, factor);
      else {
        memory.copy(scratch + 128, x + at(j), at(n - j));
        dropoutPart(scratch + 128, scratch + 128, words, bound, factor);
        memory.copy(y + at(j), scratch + 128, at(n - j));
      }
    }
  }
}
