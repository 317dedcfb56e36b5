// Element types, and the typed array that shows each.
import { DtypeError } from "./errors.js";

export type DType = "float32" | "float64" | "int32" | "uint8" | "bool";
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array };

/** The typed array class of a dtype; throws a DtypeError for an unknown name. */
export function arrayOf(dtype: DType): (typeof arrays)[DType] {
  const found = arrays[dtype];
  if (!found) throw new DtypeError(`dtype: expected one of ${Object.keys(arrays).join(", ")}; got ${String(dtype)}`);
  return found;
}

/** Bytes of one element. */
export function itemBytes(dtype: DType): number {
  return arrayOf(dtype).BYTES_PER_ELEMENT;
}

export function isFloat(dtype: DType): dtype is "float32" | "float64" {
  return dtype === "float32" || dtype === "float64";
}
