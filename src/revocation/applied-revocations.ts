/** A subject's revocation. Sequence order is commit order. */
export interface Revocation {
  readonly sequence: number;
  /** What is revoked, such as `key:<prefix>`, `account:<id>` or `workspace:<id>`. */
  readonly subject: string;
}

/** A moment in the order in which this process applied revocations. Means nothing to another process. */
export type Position = number;

/** What an answer rests on: the subjects that it depends on, and how far revocations were applied when it was true. */
export interface RevocationBasis {
  readonly subjects: readonly string[];
  readonly asOf: Position;
}

const maxRememberedSubjects = 100_000;

/**
 * The revocations that this server has applied. Whatever is remembered or under way notes the position before it reads
 * anything, and asks here later whether a revocation of one of its subjects was applied since. So applying one costs the
 * same however much is remembered.
 */
export class AppliedRevocations {
  readonly #maxSubjects: number;
  readonly #listeners: ((subject: string) => void)[] = [];
  /** When a subject was last revoked; the one that was revoked longest ago comes first. */
  readonly #lastRevoked = new Map<string, Position>();
  #sequence = 0;
  #position: Position = 0;
  /** Of what happened before this position, not everything is known. */
  #knownSince: Position = 0;

  constructor(options: { readonly maxSubjects?: number } = {}) {
    this.#maxSubjects = options.maxSubjects ?? maxRememberedSubjects;
  }

  /** The last sequence number that was applied: everything up to it was. */
  get sequence(): number {
    return this.#sequence;
  }

  get position(): Position {
    return this.#position;
  }

  /** Calls `listener` with the subject of every revocation, when it is applied. It must not throw. */
  onApplied(listener: (subject: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Applies revocations, in the order of their sequence. */
  apply(revocations: readonly Revocation[]): void {
    for (const { sequence, subject } of revocations) {
      this.#position += 1;
      this.#sequence = Math.max(this.#sequence, sequence);
      this.#lastRevoked.delete(subject);
      this.#lastRevoked.set(subject, this.#position);
      for (const listener of this.#listeners) {
        listener(subject);
      }
    }
    this.#forgetOldest();
  }

  /**
   * Starts over from `sequence`. What was revoked up to there is not known in detail, so nothing that rests on an
   * earlier position is current any more, whether it is remembered or still being read.
   */
  startOver(sequence: number): void {
    this.#sequence = sequence;
    this.#position += 1;
    this.#knownSince = this.#position;
    this.#lastRevoked.clear();
  }

  /** Whether it is certain that none of the subjects was revoked since. */
  isCurrent(basis: RevocationBasis): boolean {
    return basis.asOf >= this.#knownSince && !this.wasRevoked(basis);
  }

  /** Whether it is certain that one of the subjects was revoked since. */
  wasRevoked(basis: RevocationBasis): boolean {
    return basis.subjects.some((subject) => (this.#lastRevoked.get(subject) ?? 0) > basis.asOf);
  }

  #forgetOldest(): void {
    for (const [subject, position] of this.#lastRevoked) {
      if (this.#lastRevoked.size <= this.#maxSubjects) {
        return;
      }
      this.#lastRevoked.delete(subject);
      this.#knownSince = position;
    }
  }
}
