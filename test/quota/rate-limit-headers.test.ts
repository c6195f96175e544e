import { expect, test } from "vitest";
import { rateLimitHeaders } from "../../src/quota/rate-limit-headers.ts";

const now = new Date("2026-06-15T09:40:00.400Z");
const workspace = {
  name: "workspace",
  result: { admitted: true, limit: 1_000, remaining: 990, resetSeconds: 61 },
};
const key = { name: "key", result: { admitted: true, limit: 60, remaining: 12, resetSeconds: 30 } };

test("one limit: the three widespread headers and the two of the IETF", () => {
  expect(rateLimitHeaders([workspace], now)).toEqual({
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Remaining": "990",
    "X-RateLimit-Reset": String(Date.parse("2026-06-15T09:41:02Z") / 1_000),
    "RateLimit-Policy": '"workspace";q=1000;w=60',
    RateLimit: '"workspace";r=990;t=60',
  });
});

test("two limits: the tighter one in the three, both in the IETF's", () => {
  expect(rateLimitHeaders([key, workspace], now)).toEqual({
    "X-RateLimit-Limit": "60",
    "X-RateLimit-Remaining": "12",
    "X-RateLimit-Reset": String(Date.parse("2026-06-15T09:40:31Z") / 1_000),
    "RateLimit-Policy": '"key";q=60;w=60, "workspace";q=1000;w=60',
    RateLimit: '"key";r=12;t=30, "workspace";r=990;t=60',
  });
});

test("the three headers are about the limit that refuses", () => {
  const refused = {
    name: "workspace",
    result: { admitted: false, limit: 1_000, remaining: 0, resetSeconds: 61, retryAfterSeconds: 3 },
  };
  const exhausted = { ...key, result: { ...key.result, remaining: 0 } };
  expect(rateLimitHeaders([exhausted, refused], now)).toMatchObject({
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Remaining": "0",
  });
});

test("all headers of a refusal say the same time as Retry-After", () => {
  const refused = {
    name: "workspace",
    result: { admitted: false, limit: 1_000, remaining: 0, resetSeconds: 61, retryAfterSeconds: 54 },
  };
  expect(rateLimitHeaders([refused], now)).toMatchObject({
    "X-RateLimit-Reset": String(Date.parse("2026-06-15T09:41:01Z") / 1_000 - 6),
    RateLimit: '"workspace";r=0;t=54',
  });
});

test("t is never more than the window that the policy names", () => {
  for (const resetSeconds of [60, 61, 70]) {
    const admitted = { name: "key", result: { admitted: true, limit: 3, remaining: 0, resetSeconds } };
    const refused = { ...admitted, result: { ...admitted.result, admitted: false, retryAfterSeconds: resetSeconds } };
    expect(rateLimitHeaders([admitted], now).RateLimit).toBe('"key";r=0;t=60');
    expect(rateLimitHeaders([refused], now).RateLimit).toBe('"key";r=0;t=60');
  }
});

test("no limit: no headers", () => {
  expect(rateLimitHeaders([], now)).toEqual({});
});
