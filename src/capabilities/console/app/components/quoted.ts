/** A name within a sentence, which keeps the direction of its own script. */
export function quoted(name: string): string {
  return `“\u2068${name}\u2069”`;
}
