/** What a server holds of the history until it is written. */
import { expect, test } from "vitest";
import { maxHeldLookups } from "../../../src/capabilities/lookup/history/history.policy.ts";
import { LookupRecorder } from "../../../src/capabilities/lookup/history/lookup-recorder.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { AppError } from "../../../src/errors.ts";
import { liveCaller } from "../../idempotency/idempotency-fixture.ts";
import { captureLog } from "../../support/log-capture.ts";

test("while PostgreSQL is away, lookups are held up to a number, and what is beyond it is logged", async () => {
  const log = captureLog();
  let isAway = true;
  const written: unknown[] = [];
  const recorder = new LookupRecorder({
    database: {
      transaction(work) {
        if (isAway) {
          throw new AppError("unavailable", "The service is not available right now.");
        }
        return work({
          run: async (_, values) => {
            written.push(values);
            return [];
          },
          query: () => Promise.reject(new Error("it runs statements")),
        });
      },
    },
    keyring: createKeyring(["the old secret which has thirty-two bytes"]),
    numberIndex: (_, number) => number,
    clock: { monotonicMs: () => 0 },
    logger: log.logger,
  });
  const result = {
    input: "+1",
    e164: null,
    valid: false,
    possible: false,
    countryCode: null,
    country: null,
    nationalFormat: null,
    lineType: "unknown",
    possibleLineTypes: [],
  } as const;
  recorder.note({ ...liveCaller, lookupHistory: false }, { result });
  await recorder.flush();
  for (let index = 0; index < maxHeldLookups + 5; index++) {
    recorder.note({ ...liveCaller, lookupHistory: true }, { result });
  }
  await recorder.flush();
  expect(log.lines).toEqual([expect.stringMatching(/"event":"lookups_not_recorded","lookups":5\b/)]);
  isAway = false;
  await recorder.stop();
  const ids = written.flatMap((values) =>
    typeof values === "object" && values !== null && "ids" in values && Array.isArray(values.ids) ? values.ids : [],
  );
  expect(new Set(ids).size).toBe(maxHeldLookups);
});
