import { expect, test } from "vitest";
import { differenceTo } from "./known-fault.ts";
import { assertCalls } from "./readme-calls.ts";
import { slugOf } from "./tool.ts";
import { tools } from "./tools.ts";

const printed = [
  "started pending",
  "checked approved",
  "lookup +6591234567 SG mobile",
  "keys other,mine-1",
  "invalid 422 validation_error recipient",
  "limited 429 rate_limited 60",
  "unauthorized 401 invalid_api_key",
];

test("a client passes if it read what the server sent", () => {
  expect(() => assertCalls(`${printed.join("\n")}\n`, "mine-1")).not.toThrow();
});

test.each([
  ["a line is missing", printed.slice(0, -1)],
  ["there is a line too many", [...printed, "unauthorized 401 invalid_api_key"]],
  ["it prints nothing", []],
  ["its key is not among those listed", printed.with(3, "keys other,mine-11")],
  ["it cannot read the fields of a 422", printed.with(4, "invalid 422 validation_error ")],
  ["it cannot read retry_after", printed.with(5, "limited 429 rate_limited undefined")],
])("a client fails if %s", (_, lines) => {
  expect(() => assertCalls(lines.join("\n"), "mine-1")).toThrow();
});

test("a known fault is only that: if it is gone, or another one comes, the run fails", () => {
  const fault = { stage: "compiled", output: "has no member named x", words: "x" } as const;
  expect(differenceTo(fault, "error: y.c:1: has no member named x")).toBeUndefined();
  expect(differenceTo(fault, undefined)).toContain("is gone");
  expect(differenceTo(fault, "error: out of memory")).toContain("Not the known fault");
});

test("each tool has a name of its own on the command line", () => {
  expect(new Set(tools.map(slugOf)).size).toBe(tools.length);
});
