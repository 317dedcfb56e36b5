// Files, where the engine has them (Node, Deno, Bun); a bundle for browsers holds no import of node:fs.
import { ConfigError, FormatError } from "../../bindings/errors.js";

type Builtins = { "node:fs": typeof import("node:fs"); "node:path": typeof import("node:path"); "node:module": typeof import("node:module") };

/** A module of Node's; throws ConfigError where there are none. */
export function builtin<K extends keyof Builtins>(name: K): Builtins[K] {
  const found = globalThis.process?.getBuiltinModule?.(name) as Builtins[K] | undefined;
  if (!found) throw new ConfigError("files: expected Node 20.16 or newer, Deno or Bun; this engine has no files");
  return found;
}

/** A whole file; throws FormatError that names it and the cause. */
export async function readBytes(what: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const bytes = await builtin("node:fs").promises.readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new FormatError(`${what}: expected a readable file; ${reason(error)} at ${path}`, { cause: error });
  }
}

/** Writes a file beside `path` and renames it, so that no half-written file is ever seen; throws FormatError. */
export async function writeBytes(what: string, path: string, parts: readonly (Uint8Array | string)[]): Promise<void> {
  const { promises } = builtin("node:fs");
  const partial = `${path}.${globalThis.process.pid}.partial`;
  try {
    const file = await promises.open(partial, "w");
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await promises.rename(partial, path);
  } catch (error) {
    await promises.rm(partial, { force: true });
    throw new FormatError(`${what}: expected a place to write to; ${reason(error)} at ${path}`, { cause: error });
  }
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "there is none";
  if (code === "EACCES" || code === "EPERM") return "permission was denied";
  if (code === "EISDIR") return "there is a folder";
  return code ?? String(error);
}
