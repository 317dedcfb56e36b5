// The folder that a command writes to.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { FormatError } from "../../bindings/errors.js";
import { reason } from "../formats/files.js";

/** Makes a folder and tries to write to it, so that a training does not end without a place for its model. */
export function makeFolder(path: string): void {
  try {
    // level by level: mkdirSync(path, { recursive: true }) never returns for a folder below /proc
    const whole = resolve(path);
    const levels: string[] = [];
    for (let level = whole; !existsSync(level) && level !== dirname(level); level = dirname(level)) levels.unshift(level);
    for (const level of levels) makeLevel(level);
    const probe = join(whole, `tapir.${process.pid}.partial`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    throw new FormatError(`--out: expected a folder to write to; ${reason(error)} at ${path}`, { cause: error });
  }
}

function makeLevel(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // another process was faster
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
