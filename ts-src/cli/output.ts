// What every command prints at its end.

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** One line for people, or with --json one JSON object as the last line. */
export function result(json: boolean | undefined, figures: object, line: string): void {
  process.stdout.write(`${json ? JSON.stringify(figures) : line}\n`);
}
