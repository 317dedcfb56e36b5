// Progress bars. That of fit(): rate, loss, metrics and time left in one line on stderr; a line stays for each epoch.
import type { Progress } from "./history.js";
import type { Scores } from "./scores.js";

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const CLEAR = "\r\x1b[K"; // to the beginning of the line, then erase it (ECMA-48, EL)

export interface Bar {
  update(progress: Progress): void;
  stop(): void;
}

/** What a bar is drawn on: `columns` is the width of the terminal. */
export interface Screen {
  write(text: string): unknown;
  readonly columns?: number;
}

function figures(scores: Scores): string {
  return Object.entries(scores)
    .map(([name, value]) => (name === "accuracy" ? `accuracy ${(100 * value).toFixed(2).padStart(6)} %` : `${name} ${value.toFixed(4)}`))
    .join("  ");
}

function time(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function line(p: Progress): string {
  const filled = p.steps ? Math.min(BAR_WIDTH, Math.round((p.step / p.steps) * BAR_WIDTH)) : 0;
  const bar = p.steps ? `${"━".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}` : `step ${p.step}`;
  const left = p.secondsLeft === undefined ? "" : `  ${time(p.secondsLeft)} left`;
  return `epoch ${p.epoch}/${p.epochs} ${bar} ${figures(p.training)}  ${Math.round(p.rate).toLocaleString("en-US")} examples/s${left}`;
}

/** `clock` answers milliseconds. */
export function createBar(screen: Screen, clock = (): number => performance.now()): Bar {
  let drawn = Number.NEGATIVE_INFINITY;
  let shown = false;
  const clear = (): void => {
    if (shown) screen.write(CLEAR);
    shown = false;
  };
  return {
    update(progress) {
      if (progress.ended) {
        clear();
        const measured = progress.validation ? `   validation ${figures(progress.validation)}` : "";
        const epoch = String(progress.epoch).padStart(String(progress.epochs).length);
        screen.write(`epoch ${epoch}/${progress.epochs}  ${figures(progress.training)}${measured}\n`);
        return;
      }
      const now = clock();
      if (now - drawn < REDRAW_MS) return;
      drawn = now;
      shown = true;
      // a longer line would wrap, and only its last part be erased
      screen.write(CLEAR + line(progress).slice(0, (screen.columns || 80) - 1));
    },
    stop: clear,
  };
}

/** stderr if it is a terminal. */
export function terminal(): Screen | undefined {
  const screen = globalThis.process?.stderr;
  return screen?.isTTY ? screen : undefined;
}

/** A bar for one long task of so many parts, if known. */
export interface Meter {
  advance(): void;
  stop(): void;
}

/** Nothing is drawn without a screen. */
export function createMeter(what: string, parts: number | undefined, screen: Screen | undefined, clock = (): number => performance.now()): Meter | undefined {
  if (screen === undefined) return undefined;
  const started = clock();
  let [done, drawn, shown] = [0, started, false];
  return {
    advance() {
      done++;
      const now = clock();
      if (now - drawn < REDRAW_MS) return;
      drawn = now;
      shown = true;
      const filled = parts ? Math.min(BAR_WIDTH, Math.round((done / parts) * BAR_WIDTH)) : 0;
      const left = parts && done < parts ? `  ${time((((now - started) / done) * (parts - done)) / 1000)} left` : "";
      const bar = parts ? `${"━".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)} ${done}/${parts}` : `${done}`;
      screen.write(CLEAR + `${what} ${bar}${left}`.slice(0, (screen.columns || 80) - 1));
    },
    stop() {
      if (shown) screen.write(CLEAR);
      shown = false;
    },
  };
}
