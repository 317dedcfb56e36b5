// Element types, and the typed array that shows each.
import { DtypeError } from "./errors.js";

export type DType = "float32" | "float64" | "int32" | "uint8" | "bool";
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array };

/** The typed array class of a dtype. */
export function arrayOf(dtype: DType): (typeof arrays)[DType] {
  return arrays[dtype];
}

/** A dtype that came from outside; throws a DtypeError for an unknown name. */
export function checkedDtype(op: string, dtype: unknown): DType {
  if (typeof dtype === "string" && Object.hasOwn(arrays, dtype)) return dtype as DType;
  const got = dtype !== null && typeof dtype === "object" ? "an object" : String(dtype);
  throw new DtypeError(`${op}: expected a dtype, one of ${Object.keys(arrays).join(", ")}; got ${got}`);
}

/** Bytes of one element. */
export function itemBytes(dtype: DType): number {
  return arrayOf(dtype).BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): dtype is "float32" | "float64" {
  return dtype === "float32" || dtype === "float64";
}
