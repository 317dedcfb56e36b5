// The progress bar of fit(): rate, loss, metrics and time left in one line on stderr; a line stays for each epoch.
import cliProgress from "cli-progress";
import type { Bar, Progress, Scores } from "./fit.js";

const BAR_WIDTH = 24;
const REDRAW_HZ = 10;

function figures(scores: Scores): string {
  return Object.entries(scores)
    .map(([name, value]) => (name === "accuracy" ? `accuracy ${(100 * value).toFixed(2).padStart(6)} %` : `${name} ${value.toFixed(4)}`))
    .join("  ");
}

export function time(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function drawn(options: { format?: unknown; barsize?: number }, params: { progress: number }, payload: { progress?: Progress }): string {
  const p = payload.progress;
  if (!p) return "";
  const filled = Math.round(params.progress * (options.barsize ?? BAR_WIDTH));
  const bar = `${"━".repeat(filled)}${" ".repeat((options.barsize ?? BAR_WIDTH) - filled)}`;
  const left = p.secondsLeft === undefined ? "" : `  ${time(p.secondsLeft)} left`;
  return `epoch ${p.epoch}/${p.epochs} ${bar} ${figures(p.training)}  ${Math.round(p.rate).toLocaleString("en-US")} examples/s${left}`;
}

export function createBar(): Bar {
  const bar = new cliProgress.SingleBar({ format: drawn, barsize: BAR_WIDTH, fps: REDRAW_HZ, clearOnComplete: true, hideCursor: true });
  let running = 0;
  return {
    update(progress) {
      if (running !== progress.epoch) {
        bar.start(progress.steps ?? progress.step + 1, 0, { progress });
        running = progress.epoch;
      }
      bar.update(progress.step, { progress });
      if (!progress.ended) return;
      bar.stop();
      const measured = progress.validation ? `   validation ${figures(progress.validation)}` : "";
      process.stderr.write(
        `epoch ${String(progress.epoch).padStart(String(progress.epochs).length)}/${progress.epochs}  ${figures(progress.training)}${measured}\n`,
      );
    },
    stop() {
      bar.stop();
    },
  };
}
