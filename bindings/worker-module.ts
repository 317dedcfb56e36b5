// The beginning of a thread that runs a module of the user's: leaves it the port and says whether it could be loaded. Bundled by
// itself and embedded as text, so it asks for Node's modules in a way that scripts and modules share.
import { type Loading, type ModuleStart, PORT } from "./module-thread.js";
import { sentError } from "./sent-error.js";

function load({ address, port }: ModuleStart): void {
  Object.assign(globalThis, { [PORT]: port });
  const say = (loading: Loading): void => port.postMessage(loading);
  import(address).then(
    () => say({ kind: "loaded" }),
    (error) => say({ kind: "unloadable", error: sentError(error) }),
  );
}

type Builtin = { getBuiltinModule?(name: string): unknown };
const threads = (globalThis as { process?: Builtin }).process?.getBuiltinModule?.("node:worker_threads") as { workerData: ModuleStart } | undefined;
if (threads !== undefined) load(threads.workerData);
else addEventListener("message", ({ data }: MessageEvent<ModuleStart>) => load(data), { once: true });
