// What remote() and serve() say to each other.
import { ConfigError } from "../../bindings/errors.js";
import type { Loading } from "../../bindings/module-thread.js";
import type { SentError } from "../../bindings/sent-error.js";
import { Tensor } from "../../bindings/tensor.js";

export type ToWorker =
  | { readonly kind: "start"; readonly input: unknown; readonly threads: number | undefined }
  | { readonly kind: "abort"; readonly reason: string };

export type FromWorker =
  | Loading
  | { readonly kind: "ready"; readonly memory: SharedArrayBuffer | undefined }
  | { readonly kind: "event"; readonly event: unknown }
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "failure"; readonly error: SentError };

/** The first thing in a value that is known not to be cloned. */
function unclonable(value: unknown, seen = new Set<unknown>()): string | undefined {
  if (value instanceof Tensor) return "a Tensor";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (value === null || typeof value !== "object" || seen.has(value)) return undefined;
  seen.add(value);
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : ArrayBuffer.isView(value) ? [] : Object.values(value);
  for (const part of parts) {
    const found = unclonable(part, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Answers what `post` does; throws ConfigError if `value`, which it posts, cannot be cloned. */
export function cloned<T>(what: string, value: unknown, post: () => T): T {
  try {
    return post();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "DataCloneError") throw error;
    // an engine's message may quote the source of a function
    const came = unclonable(value) ?? error.message.split("\n")[0];
    throw new ConfigError(`${what} that can be cloned: numbers, strings, typed arrays, plain objects of them; of a tensor send data() and shape; got ${came}`, {
      cause: error,
    });
  }
}
