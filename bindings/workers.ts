// How this engine starts a thread: node:worker_threads in Node, Deno and Bun, Worker in a browser.
import nodeProgram from "../build/workers/worker-node.txt";
import webProgram from "../build/workers/worker-web.txt";
import type { Start } from "./worker.js";

export interface Thread {
  /** Ends it wherever it is. */
  terminate(): void;
}

type Builtin = { getBuiltinModule?(name: string): unknown };
type NodeProcess = Builtin & { readonly env: Record<string, string | undefined>; readonly execArgv: readonly string[] };

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

function builtin<T>(name: string): T | undefined {
  return nodeProcess?.getBuiltinModule?.(name) as T | undefined;
}

type NodeThreads = typeof import("node:worker_threads");

/** Why no thread can be started here; undefined if one can. */
export function noThreads(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined") return "this page has no shared memory; serve it with the headers of cross-origin isolation";
  try {
    // only who may wait can lead; a page may not
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
  } catch (error) {
    if (error instanceof TypeError) return "the main thread of a page may not wait for others; use tapir within a Worker";
    throw error;
  }
  if (builtin("node:worker_threads") === undefined && typeof Worker === "undefined") return "this engine starts no threads";
  return undefined;
}

/** The cores that the process may use. */
export function cores(): number {
  const os = builtin<typeof import("node:os")>("node:os");
  if (os !== undefined) return os.availableParallelism();
  return typeof navigator === "undefined" ? 1 : navigator.hardwareConcurrency;
}

type Permissions = { permissions?: { querySync(what: { name: "env"; variable: string }): { state: string } } };

/** A variable of the environment, where there is one that may be read. */
export function variable(name: string): string | undefined {
  const deno = (globalThis as { Deno?: Permissions }).Deno;
  if (deno?.permissions !== undefined && deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return nodeProcess?.env?.[name];
}

/** Whether a thread of the system is gone; false where nothing tells. */
export function isGone(threadNumber: number): boolean {
  if (threadNumber === 0) return false;
  return builtin<typeof import("node:fs")>("node:fs")?.existsSync(`/proc/self/task/${threadNumber}`) === false;
}

/** Starts a thread that keeps no process alive. `ended` hears why it is gone. */
export function startThread(start: Start, ended: (reason: string) => void): Thread {
  const threads = builtin<NodeThreads>("node:worker_threads");
  if (threads !== undefined) {
    const worker = new threads.Worker(nodeProgram, { eval: true, workerData: start, execArgv: [], stdin: false });
    worker.unref();
    worker.on("error", (error: Error) => ended(error.message));
    worker.on("exit", (code: number) => ended(`it ended with code ${code}`));
    return { terminate: () => void worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([webProgram], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.addEventListener("error", ({ message }) => ended(message));
  worker.postMessage(start);
  return {
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
