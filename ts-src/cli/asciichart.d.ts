declare module "asciichart" {
  const asciichart: { plot(series: readonly number[], settings?: { height?: number }): string };
  export default asciichart;
}
