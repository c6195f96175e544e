/**
 * How many characters `work` looks at: with regular expressions, each of which goes through `exec` while that is replaced, and with what makes
 * other strings. There is no clock in it, so it is the same on every machine. What one expression looks at twice is not seen.
 */
export function countedCharacters(work: () => void): number {
  let count = 0;
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = function counted(text: string) {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const found = exec.call(this, text);
    const end = found === null ? (this.sticky ? from : text.length) : found.index + found[0].length;
    count += 1 + end - from;
    return found;
  };
  const restores = [
    counting(String.prototype, ["normalize", "split", "trim", "trimEnd", "includes", "toLowerCase"], (text) => text),
    counting(String.prototype, ["slice"], (_, result) => result),
    counting(Array.prototype, ["join"], (_, result) => result),
  ];
  try {
    work();
  } finally {
    RegExp.prototype.exec = exec;
    for (const restore of restores) {
      restore();
    }
  }
  return count;

  function counting(
    prototype: object,
    names: readonly string[],
    looked: (self: unknown, result: unknown) => unknown,
  ): () => void {
    const natives = Object.fromEntries(names.map((name) => [name, Reflect.get(prototype, name)]));
    for (const [name, native] of Object.entries(natives)) {
      Reflect.set(prototype, name, function counted(this: unknown, ...given: readonly unknown[]) {
        const result: unknown = Reflect.apply(native, this, given);
        count += String(looked(this, result)).length;
        return result;
      });
    }
    return () => Object.assign(prototype, natives);
  }
}
