/** Of E.164, without the plus: a number of that many digits is exact as a double. */
const mostDigits = 15;
const firstSlots = 1_024;

/**
 * Tells whether a number came before, in bounded memory: it remembers at least the last `capacity` different numbers, and twice as many
 * at most, of 16 bytes each or a little more. Numbers of more than 15 digits, which are none of E.164, never count as having come before.
 */
export class RecentNumbers {
  readonly #capacity: number;
  #newer = new DoubleSet();
  #older = new DoubleSet();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Remembers a number in E.164 form. True if it came before. */
  note(e164: string): boolean {
    if (e164.length > mostDigits + 1) {
      return false;
    }
    const number = Number(e164);
    if (this.#newer.has(number)) {
      return true;
    }
    const wasThere = this.#older.has(number);
    if (this.#newer.size === this.#capacity) {
      this.#older = this.#newer;
      this.#newer = new DoubleSet();
    }
    this.#newer.add(number);
    return wasThere;
  }
}

/** Positive numbers in a table with open addressing. A `Set` takes three times the memory, and has to be walked by the garbage collector. */
class DoubleSet {
  #slots = new Float64Array(firstSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return this.#slots[slotOf(this.#slots, number)] === number;
  }

  add(number: number): void {
    if (this.#size * 2 >= this.#slots.length) {
      const grown = new Float64Array(this.#slots.length * 2);
      for (const kept of this.#slots) {
        if (kept !== 0) {
          grown[slotOf(grown, kept)] = kept;
        }
      }
      this.#slots = grown;
    }
    this.#slots[slotOf(this.#slots, number)] = number;
    this.#size += 1;
  }
}

/** Where a number is, or belongs. The table always has room. */
function slotOf(slots: Float64Array, number: number): number {
  const mask = slots.length - 1;
  // Neighbouring numbers are common: the product spreads them (Knuth's multiplicative hashing, on both halves of the number).
  let slot =
    (Math.imul((number % 0x1_0000_0000) | 0, 0x9e3779b1) ^ Math.imul((number / 0x1_0000_0000) | 0, 0x85ebca6b)) >>> 0;
  slot = (slot ^ (slot >>> 15)) & mask;
  for (let found = slots[slot]; found !== 0 && found !== number; found = slots[slot]) {
    slot = (slot + 1) & mask;
  }
  return slot;
}
