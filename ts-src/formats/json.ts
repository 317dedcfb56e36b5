// What JSON.parse does not tell: it silently keeps the last of two equal keys.

/** The first key that stands twice in one object of a valid JSON text; undefined if none does. */
export function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  // by hand: a regular expression overflows the stack on a string of some million characters
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{" || c === "[") open.push(new Set());
    else if (c === "}" || c === "]") open.pop();
    if (c !== '"') continue;
    const start = i++;
    while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    let next = i + 1;
    while (" \t\n\r".includes(text[next])) next++;
    if (text[next] !== ":") continue;
    const key = JSON.parse(text.slice(start, i + 1)) as string;
    const keys = open[open.length - 1];
    if (keys.has(key)) return key;
    keys.add(key);
  }
  return undefined;
}
