/** Who has a key, or a session, and wants more than is paid for. */
import { beforeAll, expect, test } from "vitest";
import {
  accountsOf,
  openWorkspace,
  type PricedWorkspace,
  usePricedApp,
} from "../capabilities/balance/balance-fixture.ts";
import type { TestApp } from "../support/app.ts";

const app = usePricedApp();
let unpaid: PricedWorkspace;
beforeAll(async () => {
  unpaid = await openWorkspace(app, 0);
});

const setCap = ({ session }: PricedWorkspace, owner: string, body: object) =>
  app.rest("PUT", `/spend-caps/${owner}`, { session, body });
const numbers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `+659${1_000_000 + index}` }));
const lookUp = ({ url }: Pick<TestApp, "url">, { key }: PricedWorkspace, count: number, headers = {}) =>
  fetch(`${url}/api/v1/lookup/batch`, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json", ...headers },
    body: JSON.stringify({ numbers: numbers(count) }),
  }).then(async (answer) => {
    await answer.arrayBuffer();
    return answer.status;
  });
let recipients = 0;
const start = (server: Pick<TestApp, "rest">, { key }: PricedWorkspace, headers = {}) =>
  server
    .rest("POST", "/verify/start", {
      key,
      headers,
      body: { channel: "email", recipient: `m${++recipients}@example.com` },
    })
    .then(({ status }) => status);

test.each([
  "-1",
  "-0.01",
  "+1",
  "1e3",
  "0x10",
  "1.",
  ".5",
  "00",
  "1,5",
  " 1",
  "1\n",
  "\u0661",
  "\uff11",
  "1_000",
  "NaN",
  "Infinity",
  "",
  "0.001",
  "1000000000000",
  "9".repeat(400),
  "1.0000000",
  1,
  -1,
  1e21,
  true,
  ["1"],
  {},
])("%j is no amount of a cap", async (amount) => {
  const { status, body } = await setCap(unpaid, "workspace", { amount, period: "day" });
  expect([status, Object.keys(body.error.fields ?? {})]).toEqual([422, ["amount"]]);
  expect((await app.rest("GET", "/spend-caps", { session: unpaid.session })).body.spend_caps).toEqual([]);
});

test("a cap of nothing lets nothing through, and the largest one everything", async () => {
  const workspace = await openWorkspace(app, 1_000);
  expect((await setCap(workspace, "workspace", { amount: "0.00", period: "day" })).status).toBe(200);
  expect([await start(app, workspace), await lookUp(app, workspace, 1)]).toEqual([403, 403]);
  expect((await setCap(workspace, "workspace", { amount: "999999999999.99", period: "month" })).status).toBe(200);
  expect([await start(app, workspace), await lookUp(app, workspace, 1)]).toEqual([201, 200]);
});

test("lists that are asked for at once spend a cap to its last list, and no more", async () => {
  const workspace = await openWorkspace(app, 100_000);
  await setCap(workspace, "workspace", { amount: "10.00", period: "day" });
  const statuses = await Promise.all(Array.from({ length: 30 }, () => lookUp(app, workspace, 100)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  expect(new Set(statuses)).toEqual(new Set([200, 403]));
  expect(await accountsOf(app.databaseUrl, workspace.workspaceId)).toMatchObject({ spent: 1_000 });
});

test("nobody gets more than was paid by asking two servers at once, for messages, lists and single numbers", async () => {
  await using other = await app.startAnother();
  const workspace = await openWorkspace(app, 60);
  await setCap(workspace, workspace.keyId, { amount: "0.40", period: "month" });
  const statuses = await Promise.all(
    Array.from({ length: 60 }, (_, index) => {
      const server = index % 2 === 0 ? app : other;
      return index % 3 === 0 ? lookUp(server, workspace, 5) : start(server, workspace);
    }),
  );
  const answered = (index: number) => statuses[index] === 200 || statuses[index] === 201;
  const paid = statuses.reduce((sum, _, index) => sum + (answered(index) ? (index % 3 === 0 ? 10 : 1) : 0), 0);
  const { spent } = await accountsOf(app.databaseUrl, workspace.workspaceId);
  expect(spent).toBe(paid);
  expect(paid).toBeLessThanOrEqual(40);
  expect(paid).toBeGreaterThan(0);
});

test("lists that are left before their answer are paid for, or were not made", async () => {
  const workspace = await openWorkspace(app, 100);
  const statuses = await Promise.all(
    Array.from({ length: 20 }, (_, index) => lookUp(app, workspace, 10, { "request-timeout": `0.0${10 + index}` })),
  );
  const { spent } = await accountsOf(app.databaseUrl, workspace.workspaceId);
  expect(spent).toBeLessThanOrEqual(100);
  expect(spent).toBeGreaterThanOrEqual(20 * statuses.filter((status) => status === 200).length);
  expect(await lookUp(app, workspace, 51)).toBe(402);
});
