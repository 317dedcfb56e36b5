// What a thread that runs a module of the user's and the thread that started it agree on before the module says anything.
import type { SentError } from "./sent-error.js";

/** What the thread is given when it starts. */
export interface ModuleStart {
  /** Absolute. */
  readonly address: string;
  readonly port: MessagePort;
}

/** Said when the module has been evaluated. */
export type Loading = { readonly kind: "loaded" } | { readonly kind: "unloadable"; readonly error: SentError };

/** Where the module finds its port: the same in every copy of this package. */
export const PORT = Symbol.for("tapir.remote.port");
