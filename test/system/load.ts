import { setTimeout as pause } from "node:timers/promises";

/** Runs `work` `count` times at once and waits for all of them. */
export async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** Waits until `condition` is true. Throws if that takes longer than `withinMs`. */
export async function until(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${withinMs} ms: ${what}`);
    }
    await pause(10);
  }
}

/** The code in the text of a mail: its first separate number with that many digits. */
export function codeIn(source: string, digits = 6): string {
  const text = source.slice(source.indexOf("\r\n\r\n"));
  return new RegExp(`(?<![\\w#.-])\\d{${digits}}(?![\\w.-])`).exec(text)?.[0] ?? "";
}
