import { maxRememberedSubjects } from "./revocation.policy.ts";

/** The revocation of a subject. Sequence order is commit order. */
export interface Revocation {
  readonly sequence: number;
  /** What is revoked, such as `key:<prefix>`, `account:<id>` or `workspace:<id>`. */
  readonly subject: string;
}

/** A moment in the order in which this process applied revocations. It has no meaning in other processes. */
export type Position = number;

/**
 * What an answer rests on: the subjects that it depends on, and how far revocations were applied when it was true.
 *
 * ```ts
 * const basis = { subjects: [keySubject(keyId), workspaceSubject(workspaceId)], asOf: applied.position };
 * const key = await readKey(keyId); // A revocation that is applied meanwhile may be missing from what was read.
 * if (applied.isCurrent(basis)) {
 *   remember(key, basis);
 * }
 * ```
 */
export interface RevocationBasis {
  readonly subjects: readonly string[];
  readonly asOf: Position;
}

/**
 * The revocations that this server has applied. Cache entries and calls note the position before they read anything, and ask here
 * later whether one of their subjects was revoked since. So applying a revocation costs the same however many there are.
 */
export class AppliedRevocations {
  readonly #maxSubjects: number;
  readonly #listeners: ((subject: string) => void)[] = [];
  /** When each subject was last revoked; the oldest revocation comes first. */
  readonly #lastRevoked = new Map<string, Position>();
  #sequence = 0;
  #position: Position = 0;
  /** Of the revocations before this position, not all are known. */
  #knownSince: Position = 0;

  constructor(options: { readonly maxSubjects?: number } = {}) {
    this.#maxSubjects = options.maxSubjects ?? maxRememberedSubjects;
  }

  /** The last sequence number that was applied. Every revocation up to it was. */
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
   * Starts over from `sequence`. Which subjects were revoked up to there is not known, so everything that was read at an earlier
   * position, or is still being read, is not current any more.
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
