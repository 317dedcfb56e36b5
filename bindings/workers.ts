// How this engine starts a thread: node:worker_threads in Node, Deno and Bun, Worker in a browser.
import moduleProgram from "../build/workers/worker-module.txt";
import nodeProgram from "../build/workers/worker-node.txt";
import webProgram from "../build/workers/worker-web.txt";
import { ConfigError } from "./errors.js";
import type { ModuleStart } from "./module-thread.js";
import type { Start } from "./worker.js";

export interface Thread {
  /** Ends it wherever it is. */
  terminate(): void;
}

type Builtin = { getBuiltinModule?(name: string): unknown };
type Output = { write(text: string, done: () => void): unknown };
type NodeProcess = Builtin & { readonly env: Record<string, string | undefined>; readonly stdout: Output; readonly stderr: Output };

const nodeProcess = (globalThis as { process?: NodeProcess }).process;

function builtin<T>(name: string): T | undefined {
  return nodeProcess?.getBuiltinModule?.(name) as T | undefined;
}

type NodeThreads = typeof import("node:worker_threads");

function startsNone(): boolean {
  return builtin("node:worker_threads") === undefined && typeof Worker === "undefined";
}

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
  if (startsNone()) return "this engine starts no threads";
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
  const gone = (reason: string): void => {
    URL.revokeObjectURL(url);
    ended(reason);
  };
  worker.addEventListener("error", ({ message }) => gone(message));
  // its only message: no event tells that it has closed itself
  worker.addEventListener("message", () => gone("it ended"));
  worker.postMessage(start);
  return {
    terminate() {
      worker.terminate();
      gone("it was ended");
    },
  };
}

/** A thread that runs a module of the user's; it keeps the process alive until it ends or is let go. */
export interface ModuleThread extends Thread {
  /** Throws a DataCloneError for what cannot be cloned. */
  post(message: unknown): void;
  /** For a thread that has done its work: it keeps the process alive no longer, and is ended if it does not end by itself within 1 s. */
  letGo(): void;
}

/** Who hears of a thread. */
export interface Listener {
  receive(message: unknown): void;
  /** It is gone, or met an error that nothing caught. */
  ended(reason: string, error: unknown): void;
}

/** How long a thread may take to end by itself. */
const ENDING_MS = 1000;

/** The absolute address of a module from an address or, where there are files, a path. Throws ConfigError, also where no thread can run it. */
export function moduleAddress(what: string, module: string): string {
  if (startsNone()) throw new ConfigError(`${what}: expected an engine that starts threads: a browser, Deno, Bun, or Node 20.16 or newer; got another`);
  // one letter before the colon is a drive
  if (/^[a-z][a-z\d+.-]+:/i.test(module)) return module;
  const url = builtin<typeof import("node:url")>("node:url");
  if (url !== undefined) return url.pathToFileURL(module).href;
  if (!URL.canParse(module, location.href)) throw new ConfigError(`${what}: expected an absolute address of a module; got ${module}`);
  return new URL(module, location.href).href;
}

/** Starts a thread that runs a module, with a first message for it. Throws a DataCloneError for a message that cannot be cloned. */
export function startModule(address: string, first: unknown, listener: Listener): ModuleThread {
  const { port1: near, port2: far } = new MessageChannel();
  // cloned before the thread starts
  near.postMessage(first);
  near.onmessage = ({ data }) => listener.receive(data);
  const start: ModuleStart = { address, port: far };
  const threads = builtin<NodeThreads>("node:worker_threads");
  return threads === undefined ? startOnPage(start, near, listener) : startInProcess(threads, start, near, listener);
}

function startInProcess(threads: NodeThreads, start: ModuleStart, near: MessagePort, { receive, ended }: Listener): ModuleThread {
  type Port = import("node:worker_threads").MessagePort;
  const worker = new threads.Worker(moduleProgram, { eval: true, workerData: start, transferList: [start.port as unknown as Port], stdin: false });
  const gone = (reason: string, error?: unknown): void => {
    // what it said before
    for (;;) {
      const left = threads.receiveMessageOnPort(near as unknown as Port);
      if (left === undefined) break;
      receive(left.message);
    }
    ended(reason, error);
  };
  worker.on("error", (error: Error) => gone(error.message, error));
  worker.on("exit", (code: number) => gone(`it ended with code ${code}`));
  return {
    post: (message) => near.postMessage(message),
    letGo() {
      near.close();
      worker.unref();
      // numbers in Deno, but for those of Node's module
      const timer = builtin<typeof import("node:timers")>("node:timers")?.setTimeout(() => void worker.terminate(), ENDING_MS);
      timer?.unref();
      worker.on("exit", () => timer?.close());
    },
    terminate() {
      near.close();
      worker.unref();
      void worker.terminate();
    },
  };
}

function startOnPage(start: ModuleStart, near: MessagePort, { ended }: Listener): ModuleThread {
  const url = URL.createObjectURL(new Blob([moduleProgram], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.addEventListener("error", ({ message, error }) => ended(message, error));
  worker.postMessage(start, [start.port]);
  const terminate = (): void => {
    near.close();
    worker.terminate();
    URL.revokeObjectURL(url);
  };
  // a page's workers never end by themselves
  return { post: (message) => near.postMessage(message), letGo: terminate, terminate };
}

/** Waits until what this thread has printed is with the thread that shows it, which may end the process at any time from then on. */
export async function printed(): Promise<void> {
  // a page may have a process that is a bundler's
  if (nodeProcess === undefined || builtin("node:worker_threads") === undefined) return;
  const { stdout, stderr } = nodeProcess;
  await Promise.all([stdout, stderr].map((output) => new Promise<void>((done) => output.write("", () => done()))));
}
