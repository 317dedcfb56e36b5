// The worker's side of remote().
import { abortMemory } from "../../bindings/abort.js";
import { endHelper } from "../../bindings/background.js";
import { AbortError, ConfigError } from "../../bindings/errors.js";
import { PORT } from "../../bindings/module-thread.js";
import { sentError } from "../../bindings/sent-error.js";
import { showValue } from "../../bindings/show.js";
import { endTeam, setThreads } from "../../bindings/team.js";
import { printed } from "../../bindings/workers.js";
import { cloned, type FromWorker, type ToWorker } from "./messages.js";

/** What a served function is given. */
export interface Job<Input = unknown, Event = unknown> {
  /** A clone of what remote() was given. */
  readonly input: Input;
  /**
   * Aborted when the signal of remote() is. From then on compiled functions and ops that are divided between threads throw an AbortError:
   * what cleans up saves or reports what it has, and computes no more.
   */
  readonly signal: AbortSignal;
  /** Sends a clone of an event to onProgress; throws ConfigError for what cannot be cloned. */
  readonly report: (event: Event) => void;
}

/**
 * Serves one call of remote(): `work` is called with its input, and what it returns or throws is the answer. The module calls this
 * while it is evaluated. The threads of the worker end with the answer. Throws ConfigError outside of a thread that remote() started, and when it is called again.
 */
export function serve<Input = unknown, Event = unknown, Result = unknown>(work: (job: Job<Input, Event>) => Result | Promise<Result>): void {
  if (typeof work !== "function") throw new ConfigError(`serve: expected a function ({ input, report, signal }); got ${showValue(work)}`);
  const port = (globalThis as { [PORT]?: MessagePort })[PORT];
  if (port === undefined) throw new ConfigError("serve: expected a thread that parallel.remote() started; got another; give remote() the URL of this module");
  if (port.onmessage) throw new ConfigError("serve: expected one call in a module; got a second");
  const controller = new AbortController();
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "abort") controller.abort(new AbortError(data.reason));
    else {
      if (data.threads !== undefined) setThreads(data.threads);
      void answer(port, controller.signal, data.input as Input, work);
    }
  };
  say(port, { kind: "ready", memory: abortMemory() });
}

function say(port: MessagePort, message: FromWorker): void {
  port.postMessage(message);
}

async function answer<Input, Event>(port: MessagePort, signal: AbortSignal, input: Input, work: (job: Job<Input, Event>) => unknown): Promise<void> {
  const report = (event: Event): void => cloned("report: expected an event", event, () => say(port, { kind: "event", event }));
  try {
    const result = await work({ input, report, signal });
    await printed();
    cloned("serve: expected a result", result, () => say(port, { kind: "result", result }));
  } catch (error) {
    await printed();
    say(port, { kind: "failure", error: sentError(error) });
  }
  // not every engine ends the threads of a thread with it (Deno); then nothing is left to wait for, and this one ends by itself
  endHelper();
  endTeam();
  port.close();
}
