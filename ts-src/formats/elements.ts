// Numbers as files hold them -> elements of a tensor. What a tensor has too is copied; what is narrower is widened without loss;
// whole numbers of 64 or 32 bits without sign become int32, and one that int32 does not hold is refused.
import { type DType, itemBytes } from "../../bindings/dtype.js";
import { MOST_ELEMENTS } from "../../bindings/shape.js";
import type { Tensor } from "../../bindings/tensor.js";
import { fromBytes } from "../ops/create.js";
import { permute } from "../ops/shape.js";

/** Kinds of numbers by their names in safetensors. */
export type Kind = "BOOL" | "U8" | "I8" | "U16" | "I16" | "U32" | "I32" | "U64" | "I64" | "F16" | "BF16" | "F32" | "F64";

const kinds: { readonly [kind in Kind]: { readonly bytes: number; readonly dtype: DType } } = {
  BOOL: { bytes: 1, dtype: "bool" },
  U8: { bytes: 1, dtype: "uint8" },
  I8: { bytes: 1, dtype: "int32" },
  U16: { bytes: 2, dtype: "int32" },
  I16: { bytes: 2, dtype: "int32" },
  U32: { bytes: 4, dtype: "int32" },
  I32: { bytes: 4, dtype: "int32" },
  U64: { bytes: 8, dtype: "int32" },
  I64: { bytes: 8, dtype: "int32" },
  F16: { bytes: 2, dtype: "float32" },
  BF16: { bytes: 2, dtype: "float32" },
  F32: { bytes: 4, dtype: "float32" },
  F64: { bytes: 8, dtype: "float64" },
};
export const kindNames = Object.keys(kinds) as readonly Kind[];

const MOST_AXES = 64;

/** An array in a file. */
export interface Stored {
  readonly kind: Kind;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Least significant byte first. */
  readonly little: boolean;
  /** The first axis is the fastest, as in Fortran. */
  readonly columns: boolean;
}

/** Ends the reading of a file; `message` says what was expected and what came. */
export type Refuse = (message: string) => never;

/** Bytes of one number. */
export function kindBytes(kind: Kind): number {
  return kinds[kind].bytes;
}

/** Whether a tensor can have this shape. */
export function isShape(value: unknown): value is number[] {
  if (!Array.isArray(value) || value.length > MOST_AXES || !value.every((n) => Number.isSafeInteger(n) && n >= 0)) return false;
  return value.reduce((size: number, n: number) => size * Math.max(n, 1), 1) <= MOST_ELEMENTS;
}

/** The tensor of an array whose bytes have been counted. */
export function tensorOf(stored: Stored, refuse: Refuse): Tensor {
  const { kind, shape, columns } = stored;
  const { dtype } = kinds[kind];
  const bytes = elements(stored, refuse);
  if (!columns || shape.length < 2) return fromBytes(bytes, dtype, [...shape]);
  const reversed = fromBytes(bytes, dtype, [...shape].reverse());
  const view = permute(reversed, ...shape.map((_, axis) => shape.length - 1 - axis));
  const y = view.clone();
  view.dispose();
  reversed.dispose();
  return y;
}

/** Bytes of the elements as tensors have them. */
function elements({ kind, bytes, little }: Stored, refuse: Refuse): Uint8Array {
  const size = kinds[kind].bytes;
  const count = bytes.length / size;
  if (kind === "BOOL") {
    const bad = bytes.findIndex((byte) => byte > 1);
    if (bad >= 0) refuse(`expected bools of 0 or 1; got ${bytes[bad]} at element ${bad}`);
  }
  if (size === itemBytes(kinds[kind].dtype) && kind !== "U32") return little || size === 1 ? bytes : swapped(bytes, size);
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Int32Array(count);
  const read = readers[kind as Exclude<Kind, "BOOL" | "U8" | "I32" | "F32" | "F64">];
  for (let i = 0; i < count; i++) {
    const word = read(from, i * size, little);
    if (word === undefined) {
      const value = size === 4 ? from.getUint32(i * size, little) : kind === "U64" ? from.getBigUint64(i * size, little) : from.getBigInt64(i * size, little);
      refuse(`expected numbers that int32 holds, from -2147483648 to 2147483647; got ${value} at element ${i}`);
    }
    words[i] = word as number;
  }
  return new Uint8Array(words.buffer);
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice();
  for (let at = 0; at < out.length; at += size) out.subarray(at, at + size).reverse();
  return out;
}

/** A word of 32 bits, int32 or the bits of float32; undefined where int32 does not hold the number. */
type Reader = (from: DataView, at: number, little: boolean) => number | undefined;

const readers: { readonly [kind in Exclude<Kind, "BOOL" | "U8" | "I32" | "F32" | "F64">]: Reader } = {
  I8: (from, at) => from.getInt8(at),
  U16: (from, at, little) => from.getUint16(at, little),
  I16: (from, at, little) => from.getInt16(at, little),
  U32(from, at, little) {
    const word = from.getInt32(at, little);
    return word < 0 ? undefined : word;
  },
  U64(from, at, little) {
    const [low, high] = words64(from, at, little);
    return high !== 0 || low < 0 ? undefined : low;
  },
  I64(from, at, little) {
    const [low, high] = words64(from, at, little);
    return high !== low >> 31 ? undefined : low;
  },
  F16: (from, at, little) => halfBits(from.getUint16(at, little)),
  BF16: (from, at, little) => from.getUint16(at, little) << 16,
};

function words64(from: DataView, at: number, little: boolean): [low: number, high: number] {
  return little ? [from.getInt32(at, true), from.getInt32(at + 4, true)] : [from.getInt32(at + 4), from.getInt32(at)];
}

/** The bits in float32 of a number in binary16 (IEEE 754): every one is a number of float32. */
function halfBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  let exponent = (half >> 10) & 31;
  let fraction = half & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent === 0) {
    if (fraction === 0) return sign;
    // a subnormal number of binary16 is a normal one of float32
    const shift = Math.clz32(fraction) - 21;
    fraction = (fraction << shift) & 1023;
    exponent = 1 - shift;
  }
  return sign | ((exponent + 112) << 23) | (fraction << 13);
}
