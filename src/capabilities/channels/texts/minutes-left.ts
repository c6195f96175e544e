/** A code that was made for five minutes is not "4 minutes" because it took a moment to send. */
const toleranceMs = 5_000;

/** The whole minutes until `expiresAt`, as told to people; 0 is less than one. */
export function minutesLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.floor((expiresAt.getTime() - now.getTime() + toleranceMs) / 60_000));
}
