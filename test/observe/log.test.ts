import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import { createLogger, describeError, writeWhileRead } from "../../src/observe/log.ts";

const at = new Date("2026-06-15T09:40:00.123Z");

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(
    createLogger(
      (line) => lines.push(line),
      () => at,
    ),
  );
  return lines;
}

test("a line is one JSON object with time, level and event, whatever the values hold", () => {
  const lines = linesOf((logger) => {
    logger.info("request", { status: 200, route: "GET /api/v1/lookup", nothing: undefined });
    logger.warn("odd", { text: "two\nlines \u2028 and \u0000" });
    logger.error("call failed");
  });
  expect(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toBe(true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: "2026-06-15T09:40:00.123Z", level: "info", event: "request", status: 200, route: "GET /api/v1/lookup" },
    { time: "2026-06-15T09:40:00.123Z", level: "warn", event: "odd", text: "two\nlines \u2028 and \u0000" },
    { time: "2026-06-15T09:40:00.123Z", level: "error", event: "call failed" },
  ]);
});

test("an error is told with its kind, its message, its stack and its causes", () => {
  const cause = new TypeError("no such column");
  const described = describeError(new AppError("unavailable", "Try again.", { cause }));
  expect(described).toMatchObject({
    name: "AppError",
    message: "Try again.",
    cause: { name: "TypeError", message: "no such column" },
  });
  expect(described.stack).toContain("log.test.ts");
});

test.each([
  ["text", { message: "text" }],
  [undefined, { message: "undefined" }],
  [{ a: 1 }, { message: "[object Object]" }],
])("what is thrown and is no error, %j, is told too", (thrown, described) => {
  expect(describeError(thrown)).toEqual(described);
});

test("a reader that stands still costs 16 MiB, and not more", () => {
  let begun = 0;
  const stalled = new Writable({
    write() {
      begun += 1;
    },
  });
  const write = writeWhileRead(stalled);
  for (let index = 0; index < 40; index += 1) {
    write("x".repeat(1024 * 1024));
  }
  expect(begun).toBe(1);
  expect(stalled.writableLength).toBe(16 * 1024 * 1024);
});

test("what cannot be written is lost, and nothing else", async () => {
  const full = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error("ENOSPC"));
    },
  });
  const write = writeWhileRead(full);
  write("one\n");
  await new Promise((resolve) => setImmediate(resolve));
  write("two\n");
  await new Promise((resolve) => setImmediate(resolve));
  expect(full.destroyed).toBe(true);
});
