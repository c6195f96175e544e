/** How far another clock is ahead of this server's at least, if it was read between two moments of it. Negative: behind. */
export function clockOffsetMs(theirMs: number, sentAtMs: number, receivedAtMs: number): number {
  return theirMs > receivedAtMs ? theirMs - receivedAtMs : Math.min(0, theirMs - sentAtMs);
}
