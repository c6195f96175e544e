import { expect, test } from "vitest";
import { problemOf } from "../../src/database/check-database.ts";

const good = { version: "15.0", version_number: 150_000, is_standby: false, is_read_only: false, encoding: "UTF8" };

test.each([
  [good, undefined],
  [{ ...good, version: "18.4", version_number: 180_004 }, undefined],
  [
    { ...good, version: "14.19 (Debian 14.19-1)", version_number: 140_019 },
    "it is PostgreSQL 14.19 (Debian 14.19-1), and must be 15 or newer: upgrade it.",
  ],
  [
    { ...good, is_standby: true, is_read_only: true },
    "it is a standby, which is read-only: set the URL of the primary.",
  ],
  [{ ...good, is_read_only: true }, /^it is read-only, since default_transaction_read_only is on: set it to off/],
  [
    { ...good, encoding: "LATIN1" },
    "its encoding is LATIN1, and must be UTF8: create another one with ENCODING 'UTF8' TEMPLATE template0.",
  ],
])("%j", (found, problem) => {
  if (problem instanceof RegExp) {
    expect(problemOf(found)).toMatch(problem);
  } else {
    expect(problemOf(found)).toBe(problem);
  }
});
