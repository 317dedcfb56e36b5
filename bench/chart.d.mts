export interface Point {
  readonly x: number;
  readonly y: number;
  /** Name of the line that it belongs to. */
  readonly series: string;
}
export interface ChartOptions {
  readonly title: string;
  readonly subtitle: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly Point[];
  /** Dashed lines at targets. */
  readonly targets?: readonly { readonly y: number; readonly label: string }[];
  /** Logarithmic by default. */
  readonly linearY?: boolean;
}
export function chart(options: ChartOptions): Promise<string>;
