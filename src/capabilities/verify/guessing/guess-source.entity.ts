import { defineEntity, p } from "@mikro-orm/core";

/** Sources of checks: the codes that came from them, by halves of the window. Of a source without a row, nothing counts: no wrong code was noted in the window. */
export const GuessSourceEntity = defineEntity({
  name: "GuessSource",
  tableName: "guess_source",
  properties: {
    workspaceId: p.text().primary(),
    /** `GuessSource.key`. */
    source: p.text().primary(),
    /** When the half of the window began in which it is counted. */
    since: p.datetime(),
    /** Verifications for which a wrong code came from this source. */
    guessed: p.integer(),
    /** Verifications that were approved by a code from this source, as far as a server counted them. */
    approved: p.integer(),
    /** Until then no further event says that it guesses. Null: it has not guessed. */
    detectedUntil: p.datetime().nullable(),
    /** Null: it has not guessed while the guard refused. */
    slowedUntil: p.datetime().nullable(),
    /** The same two, of the half before. */
    guessedBefore: p.integer().default(0),
    approvedBefore: p.integer().default(0),
  },
});
