/** Traces of a server of several processes. */
import { expect, test } from "vitest";
import { TraceCollector, traceParentOf } from "../support/trace-collector.ts";
import { MainProcess, makeFolder } from "./main-process.ts";
import { connectToBoth } from "./worker-connections.ts";

test.skipIf(process.platform !== "linux")(
  "each worker sends its spans under a name of its own, and what waits is sent at SIGTERM",
  async () => {
    await using collector = await TraceCollector.open();
    await using folder = await makeFolder();
    await using server = new MainProcess({
      environment: {
        PORT: "0",
        DATA_DIR: folder.path,
        WORKERS: "2",
        ...collector.environment({ OTEL_BSP_SCHEDULE_DELAY: "60000" }),
      },
    });
    const url = await server.url();
    const traceIds = ["0af7651916cd43dd8448eb211c80319a", "0af7651916cd43dd8448eb211c80319b"];
    {
      using both = await connectToBoth(server, url);
      for (const [index, traceId] of traceIds.entries()) {
        const headers = { traceparent: traceParentOf(traceId) };
        expect((await both[index]?.call("/api/v1/lookup?number=1", { headers }))?.status).toBe(401);
      }
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    const instances = traceIds.map((traceId) => {
      const span = collector.spans.find((each) => each.traceId === traceId && each.name === "GET /api/v1/lookup");
      return span?.server["service.instance.id"];
    });
    expect(instances).toEqual([expect.stringMatching(/^srv_/), expect.stringMatching(/^srv_/)]);
    expect(new Set(instances).size).toBe(2);
  },
);

test("a server that is stopped at once says how many spans its collector did not take", async () => {
  await using collector = await TraceCollector.open();
  collector.status = undefined;
  await using folder = await makeFolder();
  await using server = new MainProcess({
    environment: {
      PORT: "0",
      DATA_DIR: folder.path,
      ...collector.environment({ OTEL_BSP_SCHEDULE_DELAY: "60000" }),
    },
  });
  const url = await server.url();
  for (let index = 0; index < 30; index += 1) {
    expect((await fetch(`${url}/api/v1/lookup?number=1`)).status).toBe(401);
  }
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  const line = server.written.split("\n").find((each) => each.includes('"traces_not_sent"'));
  const { spans, reason } = JSON.parse(line ?? "{}");
  expect({ isEach: spans >= 30, reason }).toEqual({ isEach: true, reason: "timeout" });
  await expect.poll(() => collector.refused.length).toBe(spans);
});
