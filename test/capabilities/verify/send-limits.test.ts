import { expect, test } from "vitest";
import { originLimitsOf } from "../../../src/capabilities/verify/send-limits.ts";

const settings = { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 };

test("the source comes before the end user; its limit is the tier's requests a minute", () => {
  const origin = { tier: "builder", clientAddress: "192.0.2.1", endUserKey: "2001:db8::/64" } as const;
  expect(originLimitsOf(settings, origin)).toEqual([
    {
      bucket: "source",
      key: "source:192.0.2.1",
      limit: { burst: 5_000, periodSeconds: 0.012 },
      message: "Too many codes from this address. Try again later.",
    },
    {
      bucket: "end_user",
      key: "end-user:2001:db8::/64",
      limit: { burst: 10, periodSeconds: 360 },
      message: "Too many codes for this end user. Try again later.",
    },
  ]);
});

test("SOURCE_SEND_LIMIT replaces the tier's limit", () => {
  const origin = { tier: "unlimited", clientAddress: undefined, endUserKey: undefined } as const;
  expect(originLimitsOf({ ...settings, sourceSendsPerMinute: 30 }, origin)).toMatchObject([
    { key: "source:unknown", limit: { burst: 30, periodSeconds: 2 } },
  ]);
});

test("an unlimited workspace has no limit for the source, but one for the end user", () => {
  const origin = { tier: "unlimited", clientAddress: "192.0.2.1", endUserKey: "192.0.2.2" } as const;
  expect(originLimitsOf(settings, origin).map(({ key }) => key)).toEqual(["end-user:192.0.2.2"]);
});
