// What remote() and serve() say to each other.
import { ConfigError } from "../../bindings/errors.js";
import type { Loading } from "../../bindings/module-thread.js";
import type { SentError } from "../../bindings/sent-error.js";

export type ToWorker =
  | { readonly kind: "start"; readonly input: unknown; readonly threads: number | undefined }
  | { readonly kind: "abort"; readonly reason: string };

export type FromWorker =
  | Loading
  | { readonly kind: "ready"; readonly memory: SharedArrayBuffer | undefined }
  | { readonly kind: "event"; readonly event: unknown }
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "failure"; readonly error: SentError };

/** Answers what `post` does; throws ConfigError if what it posts cannot be cloned. */
export function cloned<T>(what: string, post: () => T): T {
  try {
    return post();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "DataCloneError") throw error;
    const [came] = error.message.split("\n");
    throw new ConfigError(
      `${what} that can be cloned: numbers, strings, typed arrays, plain objects of them; of a tensor send data() and shape; got: ${came}`,
      {
        cause: error,
      },
    );
  }
}
