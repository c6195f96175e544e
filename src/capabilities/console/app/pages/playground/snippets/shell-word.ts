/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command over several lines. */
export function shellLines(first: string, rest: readonly string[]): string {
  return [first, ...rest].join(" \\\n  ");
}
