import { expect, test } from "vitest";
import { AppliedRevocations } from "../../src/revocation/applied-revocations.ts";
import { InFlightCalls } from "../../src/revocation/in-flight-calls.ts";
import { captureLog } from "../support/log-capture.ts";

function createCalls() {
  const applied = new AppliedRevocations();
  const log = captureLog();
  const calls = new InFlightCalls(applied, log.logger);
  const ended: string[] = [];
  const track = (name: string, subjects: readonly string[], asOf = applied.position) =>
    calls.track({ subjects, asOf }, (reason) => ended.push(`${name} ${reason.code}`));
  const revoke = (...subjects: readonly string[]) =>
    applied.apply(subjects.map((subject, index) => ({ sequence: applied.sequence + index + 1, subject })));
  return { applied, calls, ended, log, track, revoke };
}

test("a revocation ends every call with that subject, and no other", () => {
  const { calls, ended, track, revoke } = createCalls();
  track("one", ["key:a", "workspace:w"]);
  track("two", ["key:a", "workspace:w"]);
  track("other", ["key:b", "workspace:w"]);
  revoke("key:a");
  expect(ended).toEqual(["one invalid_api_key", "two invalid_api_key"]);
  expect(calls.aborted).toBe(2);
});

test("a call is ended once, whichever of its subjects are revoked", () => {
  const { ended, track, revoke } = createCalls();
  track("one", ["key:a", "workspace:w"]);
  revoke("workspace:w", "key:a", "workspace:w");
  expect(ended).toEqual(["one invalid_api_key"]);
});

test("a call that is over is left alone", () => {
  const { ended, track, revoke } = createCalls();
  track("one", ["key:a"]).done();
  revoke("key:a");
  expect(ended).toEqual([]);
});

test("a call whose caller was revoked after being looked up is ended at once", () => {
  const { applied, ended, track, revoke } = createCalls();
  const lookedUp = applied.position;
  revoke("key:a");
  track("late", ["key:a"], lookedUp).done();
  track("later", ["key:a"]);
  expect(ended).toEqual(["late invalid_api_key"]);
});

test("one call that cannot be ended does not keep the others, and is logged", () => {
  const { applied, calls, ended, log, track, revoke } = createCalls();
  calls.track({ subjects: ["key:a"], asOf: applied.position }, () => {
    throw new Error("stuck");
  });
  track("one", ["key:a"]);
  revoke("key:a");
  expect(ended).toEqual(["one invalid_api_key"]);
  expect(log.lines.join()).toContain("stuck");
  expect(applied.sequence).toBe(1);
});
