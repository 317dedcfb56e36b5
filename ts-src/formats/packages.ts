// Packages that users install for what needs them.
import { ConfigError } from "../../bindings/errors.js";
import { builtin } from "./files.js";

type Packages = {
  "csv-parse/sync": typeof import("csv-parse/sync");
  "fast-png": typeof import("fast-png");
  fflate: typeof import("fflate");
};

/** Where a module of an installed package lies, seen from here or from the folder of the program; undefined if it is not there. */
export async function installed(module: string): Promise<string | undefined> {
  const { createRequire } = await builtin("node:module");
  const { join } = await builtin("node:path");
  // a CommonJS bundle has no address of its own
  const own = import.meta.url as string | undefined;
  for (const from of [...(own === undefined ? [] : [own]), join(globalThis.process.cwd(), "package.json")]) {
    try {
      return createRequire(from).resolve(module);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

/** A module of a package; throws ConfigError that says what to install. */
export async function packaged<K extends keyof Packages>(what: string, module: K): Promise<Packages[K]> {
  const path = await installed(module);
  const name = module.split("/")[0];
  if (path === undefined) throw new ConfigError(`${what}: expected the package ${name}; run npm install ${name}`);
  const { pathToFileURL } = await builtin("node:url");
  // the address is computed, so that no bundler looks for the package
  return (await import(/* webpackIgnore: true */ /* @vite-ignore */ pathToFileURL(path).href)) as Packages[K];
}
