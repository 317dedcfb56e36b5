// Text and numbers of the report: what comes from outside is escaped for where it goes.

export const SPACE = "\u202f"; // narrow, no break: between a number and its unit
export const DASH = "\u2013";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
export const escapeJson = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");
export const escapeScript = (text: string): string => text.replace(/<(?=\/script|!--)/gi, "\\x3c");
export const escapeStyle = (text: string): string => text.replace(/<(?=\/style)/gi, "\\3c ");

export const count = (value: number): string => value.toLocaleString("en-US");
export const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : DASH);
export const percent = (fraction: number, digits: number): string => (Number.isFinite(fraction) ? `${(fraction * 100).toFixed(digits)}${SPACE}%` : DASH);
export const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : Number.NaN);

/** For JSON: six digits; null for what is no number. */
export const short = (value: number | undefined): number | null => (Number.isFinite(value) ? Number((value as number).toPrecision(6)) : null);

/** A loss, a norm, or another number without a unit. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value !== 0 && (size < 0.001 || size >= 1e6) ? value.toExponential(2) : value.toFixed(4);
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return DASH;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${SPACE}s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)}${SPACE}s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}${SPACE}h ${minutes}${SPACE}min` : `${minutes}${SPACE}min ${rest}${SPACE}s`;
}

/** Scores that are shares of examples, from 0 to 1. */
const SHARES = /^(accuracy|zeroOne|top\d+(Accuracy)?|f1|precision|recall)$/;
const NAMES: Record<string, string> = { zeroOne: "error rate", f1: "F1" };

export function isShare(score: string): boolean {
  return SHARES.test(score);
}

/** What a score is called in text, not escaped. */
export function scoreName(score: string): string {
  const top = /^top(\d+)(Accuracy)?$/.exec(score);
  if (top !== null) return `top-${top[1]} ${top[2] === undefined ? "error rate" : "accuracy"}`;
  return Object.hasOwn(NAMES, score) ? NAMES[score] : score;
}

export function scoreValue(score: string, value: number): string {
  return isShare(score) ? percent(value, 2) : plain(value);
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
