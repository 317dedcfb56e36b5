// The loss of a training as a picture of text.
import asciichart from "asciichart";

const COLUMNS = 64;

/** The training loss over the steps. */
export function curve(losses: readonly number[]): string {
  const size = Math.max(1, Math.ceil(losses.length / COLUMNS));
  const means: number[] = [];
  for (let i = 0; i < losses.length; i += size) {
    const part = losses.slice(i, i + size);
    means.push(part.reduce((a, b) => a + b, 0) / part.length);
  }
  return `training loss, ${losses.length.toLocaleString("en-US")} steps\n${asciichart.plot(means.length > 1 ? means : [...means, ...means], { height: 8 })}`;
}
