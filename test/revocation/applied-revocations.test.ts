import { expect, test } from "vitest";
import { AppliedRevocations } from "../../src/revocation/applied-revocations.ts";

test("what was known before a revocation of its subject is not current after it", () => {
  const applied = new AppliedRevocations();
  const before = { subjects: ["key:a", "workspace:w"], asOf: applied.position };
  applied.apply([{ sequence: 7, subject: "key:b" }]);
  expect(applied.isCurrent(before)).toBe(true);
  applied.apply([{ sequence: 8, subject: "workspace:w" }]);
  expect(applied.isCurrent(before)).toBe(false);
  expect(applied.wasRevoked(before)).toBe(true);
  expect(applied.isCurrent({ ...before, asOf: applied.position })).toBe(true);
  expect(applied.sequence).toBe(8);
});

test("nothing that was known before starting over is current, though it is not certain that it was revoked", () => {
  const applied = new AppliedRevocations();
  applied.apply([{ sequence: 7, subject: "key:a" }]);
  const before = { subjects: ["key:a"], asOf: applied.position };
  applied.startOver(7);
  expect(applied.isCurrent(before)).toBe(false);
  expect(applied.wasRevoked(before)).toBe(false);
  expect(applied.isCurrent({ ...before, asOf: applied.position })).toBe(true);
});

test("starting over can go back to a lower number, as after the loss of a database", () => {
  const applied = new AppliedRevocations();
  applied.apply([{ sequence: 100, subject: "key:a" }]);
  applied.startOver(95);
  expect(applied.sequence).toBe(95);
});

test("beyond the bound the oldest revocations are forgotten, and what was known before them is not current", () => {
  const applied = new AppliedRevocations({ maxSubjects: 2 });
  const start = applied.position;
  applied.apply([{ sequence: 1, subject: "key:a" }]);
  const afterFirst = applied.position;
  applied.apply([
    { sequence: 2, subject: "key:b" },
    { sequence: 3, subject: "key:c" },
  ]);
  expect(applied.isCurrent({ subjects: ["key:a"], asOf: start })).toBe(false);
  expect(applied.isCurrent({ subjects: ["key:z"], asOf: start })).toBe(false);
  expect(applied.isCurrent({ subjects: ["key:z"], asOf: afterFirst })).toBe(true);
  expect(applied.isCurrent({ subjects: ["key:b"], asOf: afterFirst })).toBe(false);
});

test("a subject that is revoked again counts once, with its last revocation", () => {
  const applied = new AppliedRevocations({ maxSubjects: 2 });
  applied.apply([
    { sequence: 1, subject: "key:a" },
    { sequence: 2, subject: "key:b" },
  ]);
  const between = applied.position;
  applied.apply([{ sequence: 3, subject: "key:a" }]);
  expect(applied.isCurrent({ subjects: ["key:a"], asOf: between })).toBe(false);
  expect(applied.isCurrent({ subjects: ["key:b"], asOf: between })).toBe(true);
});
