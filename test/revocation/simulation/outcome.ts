/** What happened in one run, or in several together. */
export interface Outcome {
  events: number;
  accepted: number;
  fromMemory: number;
  withoutLease: number;
  repeatedReads: number;
  registeredAnew: number;
  revocations: number;
  answered: number;
  answeredWithoutHearing: number;
  repeatedByAnother: number;
  sweeps: number;
  /** Revocations that somebody who lives was still waiting for at the end. */
  unanswered: number;
  /** The first request that was answered from before a revocation that had been answered when it was sent. */
  violation: string | undefined;
}

export function emptyOutcome(): Outcome {
  return {
    events: 0,
    accepted: 0,
    fromMemory: 0,
    withoutLease: 0,
    repeatedReads: 0,
    registeredAnew: 0,
    revocations: 0,
    answered: 0,
    answeredWithoutHearing: 0,
    repeatedByAnother: 0,
    sweeps: 0,
    unanswered: 0,
    violation: undefined,
  };
}

/** Adds one run to others. */
export function addOutcome(sum: Outcome, one: Outcome): void {
  sum.events += one.events;
  sum.accepted += one.accepted;
  sum.fromMemory += one.fromMemory;
  sum.withoutLease += one.withoutLease;
  sum.repeatedReads += one.repeatedReads;
  sum.registeredAnew += one.registeredAnew;
  sum.revocations += one.revocations;
  sum.answered += one.answered;
  sum.answeredWithoutHearing += one.answeredWithoutHearing;
  sum.repeatedByAnother += one.repeatedByAnother;
  sum.sweeps += one.sweeps;
  sum.unanswered += one.unanswered;
  sum.violation ??= one.violation;
}
