/** Two servers on one database: what one of them revokes, the other refuses when the call returns. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";

const here = useTestApp();
let there: TestApp;
let owner: SignedUp;
beforeAll(async () => {
  there = await here.startAnother();
  owner = await here.signUp();
});
afterAll(async () => {
  await there[Symbol.asyncDispose]();
});

describe.each(protocols)("over $name", (protocol: Protocol) => {
  const call = (server: TestApp, rpc: Parameters<Protocol["call"]>[1], input: Record<string, unknown>) =>
    protocol.call(server, rpc, input, { session: owner.session });
  const create = async (input: Record<string, unknown> = {}) =>
    (await call(here, "CreateApiKey", { name: "a key", ...input })).body;
  const lookup = async (server: TestApp, key: string) =>
    (await protocol.call(server, "LookupNumber", { number: "1" }, { key })).code;

  test("a key revoked on one server is refused by the other before the call returns", async () => {
    for (let round = 0; round < 20; round += 1) {
      const { id, key } = await create();
      expect([await lookup(here, key), await lookup(there, key)]).toEqual(["ok", "ok"]);
      await call(here, "RevokeApiKey", { id });
      expect([await lookup(there, key), await lookup(here, key)]).toEqual(["invalid_api_key", "invalid_api_key"]);
    }
  });

  test("under constant load, every request sent after the answer is refused", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, key } = await create();
      let answeredAt = Number.POSITIVE_INFINITY;
      let isOver = false;
      const lateSuccesses: string[] = [];
      const load = [here, there, here, there].map(async (server) => {
        while (!isOver) {
          const sentAt = performance.now();
          const code = await lookup(server, key);
          if (code === "ok" && sentAt > answeredAt) {
            lateSuccesses.push(server.url);
          }
        }
      });
      await Promise.all([lookup(here, key), lookup(there, key)]);
      await call(round % 2 === 0 ? here : there, "RevokeApiKey", { id });
      answeredAt = performance.now();
      const after = Array.from({ length: 20 }, (_, index) => lookup(index % 2 === 0 ? here : there, key));
      expect(new Set(await Promise.all(after))).toEqual(new Set(["invalid_api_key"]));
      isOver = true;
      await Promise.all(load);
      expect(lateSuccesses).toEqual([]);
    }
  });

  test("a rotated secret, scopes taken away, and an allowlist hold on the other server at once", async () => {
    const { id, key } = await create();
    expect(await lookup(there, key)).toBe("ok");
    await call(here, "UpdateApiKey", { id, scopes: ["verify"] });
    expect(await lookup(there, key)).toBe("insufficient_scope");
    await call(here, "UpdateApiKey", { id, scopes: ["*"] });
    expect(await lookup(there, key)).toBe("ok");
    await call(here, "UpdateApiKey", { id, ip_allowlist: ["192.0.2.1"] });
    expect(await lookup(there, key)).toBe("ip_not_allowed");
    await call(here, "UpdateApiKey", { id, ip_allowlist: ["0.0.0.0/0", "::/0"] });
    const { body } = await call(here, "RotateApiKey", { id });
    expect([await lookup(there, key), await lookup(there, body.key)]).toEqual(["invalid_api_key", "ok"]);
  });

  test("a new key works on the other server at once", async () => {
    const { key } = await create();
    expect(await lookup(there, key)).toBe("ok");
  });
});
