// Files, where the engine has them (Node, Deno, Bun); a bundle for browsers holds no import of node:fs.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { showValue } from "../../bindings/show.js";

type Builtins = {
  "node:fs": typeof import("node:fs");
  "node:path": typeof import("node:path");
  "node:module": typeof import("node:module");
  "node:url": typeof import("node:url");
  "node:zlib": typeof import("node:zlib");
};

/** A module of Node's; throws ConfigError where there are none. */
export async function builtin<K extends keyof Builtins>(name: K): Promise<Builtins[K]> {
  const { process } = globalThis;
  const found = process?.getBuiltinModule?.(name) as Builtins[K] | undefined;
  if (found) return found;
  // Node before 20.16; the address is computed, so that no bundler looks for the module
  if (process?.versions?.node) return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as Builtins[K];
  throw new ConfigError("files: expected Node, Deno or Bun; this engine has no files");
}

function checkedPath(what: string, path: unknown): void {
  if (typeof path !== "string" || path === "")
    throw new ConfigError(`${what}: expected the path of a file; got ${path === "" ? "an empty one" : showValue(path)}`);
}

/** A whole file; throws FormatError that names it and the cause. */
export async function readBytes(what: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  checkedPath(what, path);
  const { promises } = await builtin("node:fs");
  try {
    const bytes = await promises.readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw new FormatError(`${what}: expected a readable file; ${reason(error)} at ${path}`, { cause: error });
  }
}

/** Writes a file beside `path` and renames it, so that no half-written file is ever seen; throws FormatError. */
export async function writeBytes(what: string, path: string, parts: readonly (Uint8Array | string)[]): Promise<void> {
  checkedPath(what, path);
  const { promises } = await builtin("node:fs");
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
    // where the file could not be made it cannot be removed either: the first error is the one to tell
    await promises.rm(partial, { force: true }).catch(() => undefined);
    throw new FormatError(`${what}: expected a place to write to; ${reason(error)} at ${path}`, { cause: error });
  }
}

/** Adds to a file, which is made if there is none, by one write; throws FormatError. */
export async function appendText(what: string, path: string, text: string): Promise<void> {
  checkedPath(what, path);
  const { promises } = await builtin("node:fs");
  try {
    const file = await promises.open(path, "a");
    try {
      const bytes = new TextEncoder().encode(text);
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length) throw new Error(`${bytesWritten} of ${bytes.length} bytes were written`);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new FormatError(`${what}: expected a file to write to; ${reason(error)} at ${path}`, { cause: error });
  }
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: "there is none",
  EACCES: "permission was denied",
  EPERM: "permission was denied",
  EISDIR: "there is a folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  ENAMETOOLONG: "the path is too long",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  ERR_INVALID_ARG_VALUE: "the path holds a character that no path can",
};

/** What an error of the file system means, in words. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? String(error) : (REASONS[code] ?? code);
}
