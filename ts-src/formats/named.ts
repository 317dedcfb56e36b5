// Tensors by name that are to be written.
import { ConfigError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { Tensor } from "../../bindings/tensor.js";

/** A tensor to write, with a copy of its elements. */
export interface Named {
  readonly name: string;
  readonly tensor: Tensor;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor's elements in row-major order. */
export function bytesOf(what: string, name: string, t: unknown): Uint8Array<ArrayBuffer> {
  if (!(t instanceof Tensor)) throw new ConfigError(`${what}: expected a tensor for ${name}; got ${showValue(t)}`);
  const data = t.alive(`${what}: ${name}`).data();
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** Throws ConfigError for what are no tensors by name, DisposedError. */
export function namedTensors(what: string, tensors: Readonly<Record<string, Tensor>>): Named[] {
  if (tensors === null || typeof tensors !== "object" || tensors instanceof Tensor) {
    throw new ConfigError(`${what}: expected tensors by name, as stateDict() gives; got ${showValue(tensors)}`);
  }
  return Object.entries(tensors).map(([name, tensor]) => ({ name, tensor, bytes: bytesOf(what, name, tensor) }));
}
