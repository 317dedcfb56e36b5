// Work in another thread, while the event loop of this one stays free.
import { checkSignal, stopPrograms, stoppedBy } from "../../bindings/abort.js";
import { ConfigError, WorkerError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";
import { checkedThreads } from "../../bindings/team.js";
import { moduleAddress, startModule } from "../../bindings/workers.js";
import { checkedOptions } from "../ops/checks.js";
import { cloned, type FromWorker, type ToWorker } from "./messages.js";
import { asItWas, receivedError } from "./received.js";

export interface RemoteOptions<Event = unknown> {
  /** What the served function is given, a clone. */
  input?: unknown;
  /**
   * Stops the work: a running program, and a large op that is divided between threads, before its next instruction; everything else, such
   * as ops on one thread, when the served function heeds its own signal, or with its thread after 1 s.
   */
  signal?: AbortSignal;
  /** Called for each event that the served function reports. */
  onProgress?: (event: Event) => void;
  /** Threads of the worker's own large ops and programs; as a program of its own would have by default. */
  threads?: number;
}

/** How long a thread whose work was stopped may take to answer. */
const ANSWER_MS = 1000;

/**
 * Runs the function that a module serves in a thread of its own, and answers its result. `module` is a URL or, where there are files,
 * a path. Throws what the function throws (an error that is no TapirError as a WorkerError, the original as its cause), ConfigError
 * for a module that cannot be loaded or serves nothing and for an input or result that cannot be cloned, WorkerError if the
 * thread ends before it answers, AbortError when `signal` stops it.
 */
export async function remote<Result = unknown, Event = unknown>(module: string | URL, options: RemoteOptions<Event> = {}): Promise<Result> {
  const { input, signal, onProgress, threads } = checkedOptions("remote", options, ["input", "signal", "onProgress", "threads"]);
  if (typeof module !== "string" && !(module instanceof URL)) throw new ConfigError(`remote: expected the URL or path of a module; got ${showValue(module)}`);
  if (signal !== undefined) checkSignal("remote", signal);
  if (onProgress !== undefined && typeof onProgress !== "function")
    throw new ConfigError(`remote: expected onProgress, a function; got ${showValue(onProgress)}`);
  if (threads !== undefined) checkedThreads("remote", threads);
  const address = moduleAddress("remote", String(module));
  if (signal?.aborted) throw stoppedBy(signal);

  return new Promise<Result>((resolve, reject) => {
    let memory: SharedArrayBuffer | undefined;
    let serving = false;
    let settled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function settle(how: "letGo" | "terminate", act: () => void): void {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      thread[how]();
      if (signal?.aborted) reject(stoppedBy(signal));
      else act();
    }
    const fail = (error: unknown): void => settle("terminate", () => reject(error));

    function abort(): void {
      if (memory !== undefined) stopPrograms(memory);
      const stopped = stoppedBy(signal as AbortSignal);
      thread.post({ kind: "abort", reason: stopped.message } satisfies ToWorker);
      // the work has not begun: nobody would hear
      timer = setTimeout(() => fail(stopped), serving ? ANSWER_MS : 0);
    }

    function receive(message: FromWorker): void {
      if (settled) return;
      switch (message.kind) {
        case "ready":
          serving = true;
          memory = message.memory;
          break;
        case "loaded":
          if (!serving) fail(new ConfigError(`remote: expected ${address} to call parallel.serve() while it is evaluated; it did not`));
          break;
        case "unloadable": {
          const { name, message: why } = message.error;
          fail(new ConfigError(`remote: expected a module that can be loaded; got ${address}: ${name}: ${why}`, { cause: asItWas(message.error) }));
          break;
        }
        case "event":
          try {
            onProgress?.(message.event as Event);
          } catch (error) {
            fail(error);
          }
          break;
        case "result":
          settle("letGo", () => resolve(message.result as Result));
          break;
        case "failure":
          settle("letGo", () => reject(receivedError(message.error)));
      }
    }

    const first: ToWorker = { kind: "start", input, threads };
    const thread = cloned("remote: expected input", input, () =>
      startModule(address, first, {
        receive: (message) => receive(message as FromWorker),
        ended: (reason, cause) => fail(new WorkerError(`remote: expected ${address} to answer; its thread is gone: ${reason}`, { cause })),
      }),
    );
    signal?.addEventListener("abort", abort);
  });
}
