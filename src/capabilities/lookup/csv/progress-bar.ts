import type { Writable } from "node:stream";

const width = 30;
const everyMs = 100;

/** A line that is written over, where there is a terminal. */
export class ProgressBar {
  readonly #terminal: (Writable & { readonly isTTY?: boolean }) | undefined;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(terminal: Writable & { readonly isTTY?: boolean }) {
    this.#terminal = terminal.isTTY === true ? terminal : undefined;
  }

  /** `share`: of the work that is done, 0 to 1. Undefined if nobody knows. */
  draw(share: number | undefined, text: string): void {
    const nowMs = performance.now();
    if (this.#terminal === undefined || nowMs - this.#drawnAtMs < everyMs) {
      return;
    }
    this.#drawnAtMs = nowMs;
    const done = Math.round(Math.min(1, share ?? 0) * width);
    const bar =
      share === undefined ? "" : `[${"#".repeat(done)}${" ".repeat(width - done)}] ${Math.floor(share * 100)} % `;
    this.#terminal.write(`\r\u001b[K${bar}${text}`);
  }

  clear(): void {
    this.#terminal?.write("\r\u001b[K");
  }
}
