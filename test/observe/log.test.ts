import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/errors.ts";
import { batchWrites, createLogger, describeError, writeWhileRead } from "../../src/observe/log.ts";

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger((line) => lines.push(line)));
  return lines;
}

test("a line is one JSON object with time, level and event, whatever its values contain", () => {
  const circle: Record<string, unknown> = { size: 10n };
  circle.self = circle;
  const lines = linesOf((logger) => {
    logger.info("request", { status: 200, route: "GET /api/v1/lookup", nothing: undefined });
    logger.warn("odd", { text: "two\nlines \u2028 and \u0000", circle, ratio: Number.NaN });
    logger.error("call_failed");
  });
  expect(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toBe(true);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time, level: "info", event: "request", status: 200, route: "GET /api/v1/lookup" },
    {
      time,
      level: "warn",
      event: "odd",
      text: "two\nlines \u2028 and \u0000",
      circle: { size: 10, self: "[Circular]" },
      ratio: null,
    },
    { time, level: "error", event: "call_failed" },
  ]);
});

test("an error is logged with its name, message, stack and causes only", () => {
  const cause = Object.assign(new TypeError("duplicate key"), {
    detail: "Key (email)=(a@example.com) already exists.",
  });
  const [line = ""] = linesOf((logger) =>
    logger.error("call_failed", { error: new AppError("unavailable", "Try again.", { cause }) }),
  );
  expect(JSON.parse(line)).toMatchObject({
    error: { name: "AppError", message: "Try again.", cause: { name: "TypeError", message: "duplicate key" } },
  });
  expect(JSON.parse(line).error.stack).toContain("log.test.ts");
  expect(line).not.toContain("a@example.com");
});

test.each([
  ["text", { message: "text" }],
  [undefined, { message: "undefined" }],
  [{ a: 1 }, { message: "[object Object]" }],
])("what is thrown and is no error, %j, is told too", (thrown, described) => {
  expect(describeError(thrown)).toEqual(described);
});

test("a stalled reader costs 16 MiB at most", () => {
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

test("lines that cannot be written are dropped, without other effects", async () => {
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

describe("lines of one turn of the event loop", () => {
  test("are written together, in their order, and each once", async () => {
    const written: string[] = [];
    const { write } = batchWrites((text) => written.push(text));
    write("one\n");
    write("two\n");
    expect(written).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    write("three\n");
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toEqual(["one\ntwo\n", "three\n"]);
  });

  test("are written at once when the process exits", () => {
    const written: string[] = [];
    const { write, flush } = batchWrites((text) => written.push(text));
    write("last\n");
    flush();
    flush();
    expect(written).toEqual(["last\n"]);
  });
});
