import { expect, test } from "vitest";
import { originLimitsOf } from "../../../src/capabilities/verify/send-limits.ts";
import { startTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";

const settings = { sourceSendsPerMinute: undefined, endUserSendsPerHour: 10 };
const origin = { workspaceId: "ws_1", clientAddress: "192.0.2.1", endUserKey: undefined };

test("by default a source has no limit beside the workspace's requests a minute, which are never fewer", () => {
  expect(originLimitsOf(settings, origin)).toEqual({ source: undefined, buckets: [] });
});

test("SOURCE_SEND_LIMIT limits each source of a workspace", () => {
  const limited = { ...settings, sourceSendsPerMinute: 30 };
  expect(originLimitsOf(limited, origin).source).toEqual({
    workspaceId: "ws_1",
    key: "source:192.0.2.1",
    limitPerMinute: 30,
  });
  expect(originLimitsOf(limited, { ...origin, clientAddress: undefined }).source?.key).toBe("source:unknown");
});

test("an end user has a limit of their own", () => {
  expect(originLimitsOf(settings, { ...origin, endUserKey: "2001:db8::/64" }).buckets).toEqual([
    {
      bucket: "end_user",
      key: "end-user:2001:db8::/64",
      limit: { burst: 10, periodSeconds: 360 },
      message: "Too many codes for this end user. Try again later.",
    },
  ]);
});

test("fifty parallel starts from one source with a limit of twenty start exactly twenty, over two servers", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "20" }));
  await using other = await app.startAnother(limitsOf({ SOURCE_SEND_LIMIT: "20" }));
  const key = await app.mintKey({ mode: "test" });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? app : other).rest("POST", "/verify/start", {
        key,
        body: { channel: "email", recipient: `ada-${index}@example.com` },
      }),
    ),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  const refused = answers.find(({ status }) => status !== 201);
  expect([refused?.status, refused?.body.error.message]).toEqual([
    429,
    "Too many codes from this address. Try again later.",
  ]);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a start that the recipient's limit refuses does not count against its source", async () => {
  await using app = await startTestApp(limitsOf({ SOURCE_SEND_LIMIT: "4" }));
  const key = await app.mintKey({ mode: "test" });
  const start = async (recipient: string) =>
    (await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } })).status;
  const statuses = [];
  for (const recipient of ["a", "a", "a", "a", "a", "b", "c"]) {
    statuses.push(await start(`${recipient}@example.com`));
  }
  expect(statuses).toEqual([201, 201, 201, 429, 429, 201, 429]);
});
