/** Numbers from 0 to 1 that only look random: the same seed gives the same ones (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A time whose logarithm is normally distributed, in seconds: half of them are below the median. */
export function logNormalSeconds(random: () => number, median: number, spread: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(spread * normal);
}

/** One of a list, the first ones more often than those that follow: the n-th has a weight of 1/n. */
export function oneOf<T>(random: () => number, list: readonly T[]): T {
  const weights = list.map((_, index) => 1 / (index + 1));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const found = list.find((_, index) => {
    left -= weights[index] ?? 0;
    return left <= 0;
  });
  return found ?? (list[0] as T);
}
