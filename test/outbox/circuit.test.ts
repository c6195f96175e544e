import { beforeEach, describe, expect, test } from "vitest";
import { Circuit } from "../../src/outbox/circuit.ts";

describe("a circuit", () => {
  let nowMs = 0;
  let circuit = new Circuit(() => nowMs);
  const fail = (times: number) => Array.from({ length: times }, () => circuit.failed()).at(-1);

  beforeEach(() => {
    nowMs = 1_000_000;
    circuit = new Circuit(() => nowMs);
  });

  test("lets everything through while the provider works, and after failures that are not in a row", () => {
    expect(circuit.places(10)).toBe(10);
    fail(4);
    expect(circuit.succeeded()).toBe(false);
    fail(4);
    expect(circuit.places(10)).toBe(10);
  });

  test("pauses after five failures in a row, then tries one message", () => {
    expect(fail(5)).toBe(1_000);
    expect(circuit.places(10)).toBe(0);
    nowMs += 999;
    expect(circuit.places(10)).toBe(0);
    nowMs += 1;
    expect(circuit.places(10)).toBe(1);
  });

  test("doubles the pause with each failed trial, up to five seconds", () => {
    fail(5);
    const pauses = Array.from({ length: 4 }, () => {
      nowMs += 60_000;
      return circuit.failed();
    });
    expect(pauses).toEqual([2_000, 4_000, 5_000, 5_000]);
  });

  test("ends the pause with the first success", () => {
    fail(5);
    nowMs += 1_000;
    expect(circuit.succeeded()).toBe(true);
    expect(circuit.places(10)).toBe(10);
    expect(fail(4)).toBeUndefined();
  });

  test("counts what fails during a pause as the same failure", () => {
    fail(5);
    expect(fail(5)).toBeUndefined();
    nowMs += 1_000;
    expect(circuit.places(10)).toBe(1);
  });

  test("pauses at once when the provider asks for it, for as long as it asks, up to a minute", () => {
    expect(circuit.failed(7_000)).toBe(7_000);
    nowMs += 6_999;
    expect(circuit.places(10)).toBe(0);
    nowMs += 1;
    expect(circuit.failed(3_600_000)).toBe(60_000);
  });
});
