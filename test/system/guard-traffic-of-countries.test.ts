/** Countries, and whole workspaces, of which hardly any code is entered. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blockMinutes, minStarts } from "../../src/capabilities/guard/traffic.policy.ts";
import { countryRange } from "../../src/text/number-range.ts";
import { plansFolder } from "../../src/text/numbering-plans.ts";
import { rowsOf } from "../capabilities/verify/verify-calls.ts";
import { others, type TrafficWorkspace, useGuardTraffic, users } from "./guard-traffic-fixture.ts";

const use = useGuardTraffic();

test("many ranges of a country with a few starts each are blocked together", async () => {
  const workspace = await use.workspaceThatChecks();
  for (let range = 0; range < 10; range += 1) {
    await workspace.ask(minStarts.country / 10, `+6281${30 + range}xxxxxxx`);
  }
  await use.minutes(3);
  await workspace.ask(1, "+628150xxxxxxx");
  expect(await workspace.blockedRanges()).toEqual({ "+62x": blockMinutes.first });
  expect((await workspace.start("+628160xxxxxxx")).status).toBe(403);
});

describe("a country is not blocked", () => {
  test("for what was seen of a range before its block was ended", async () => {
    const workspace = await use.workspaceThatChecks();
    await workspace.ask(minStarts.range);
    await use.minutes(3);
    await workspace.ask(1);
    const [block] = await workspace.blocks();
    await use.app.rest("DELETE", `/guard/blocks/${block?.id}`, { key: workspace.key });
    await use.minutes(1);
    await workspace.ask(5);
    for (let range = 0; range < 3; range += 1) {
      await workspace.ask(4, `+65${range + 80}1xxxxx`);
    }
    await use.minutes(3);
    await workspace.ask(1, others);
    expect(await workspace.blocks()).toEqual([]);
  });

  test("for one range, whose starts count as few, with a block of its own or without; a second and a third one close it", async () => {
    const workspace = await use.workspaceThatChecks();
    await workspace.ask(minStarts.country + 10);
    await use.minutes(3);
    // The country is judged, and the range is not.
    await workspace.ask(1, "+65821xxxxx");
    expect(await workspace.blocks()).toEqual([]);
    await workspace.ask(1);
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+65912x"]);
    await workspace.ask(minStarts.country + 10, others);
    await use.minutes(3);
    await workspace.ask(1, others);
    expect(Object.keys(await workspace.blockedRanges()).sort()).toEqual(["+65912x", "+65913x"]);
    await workspace.ask(minStarts.range, "+65914xxxxx");
    await use.minutes(3);
    await workspace.ask(1, "+65821xxxxx");
    expect(Object.keys(await workspace.blockedRanges()).sort()).toEqual(["+65912x", "+65913x", "+65x"]);
  });

  test("for a burst in one range, if users of its other ranges are well", async () => {
    const workspace = await use.workspaceThatChecks();
    for (let range = 0; range < 5; range += 1) {
      await workspace.approve(3, `+49160${range}xxxxxxx`);
      await workspace.ask(1, `+49160${range}xxxxxxx`);
    }
    await workspace.ask(150, "+491701xxxxxxx");
    await use.minutes(3);
    await workspace.ask(1, "+491609xxxxxxx");
    expect(await workspace.blocks()).toEqual([]);
    await workspace.ask(1, "+491701xxxxxxx");
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+491701x"]);
  });

  test("after a block of it, for one range that is not judged yet", async () => {
    const workspace = await use.workspaceThatChecks();
    for (let range = 0; range < 10; range += 1) {
      await workspace.ask(minStarts.country / 10, `+6281${30 + range}xxxxxxx`);
    }
    await use.minutes(3);
    await workspace.ask(1, "+628150xxxxxxx");
    expect(Object.keys(await workspace.blockedRanges())).toEqual(["+62x"]);
    await use.minutes(blockMinutes.first + 1);
    await workspace.ask(minStarts.country, "+628160xxxxxxx");
    await use.minutes(2);
    await workspace.ask(1, "+628150xxxxxxx");
    expect(await workspace.blocks()).toEqual([]);
  });
});

test("a country is blocked if its ranges are pumped one after another, each until it is blocked", async () => {
  const workspace = await use.workspaceThatChecks();
  const blocked: string[][] = [];
  for (let range = 0; range < 3; range += 1) {
    const pattern = `+49171${range}xxxxxxx`;
    await workspace.ask(40, pattern);
    await use.minutes(3);
    await workspace.ask(1, pattern);
    blocked.push(Object.keys(await workspace.blockedRanges()).sort());
    await use.minutes(blockMinutes.first + 1);
  }
  expect(blocked).toEqual([["+491710x"], ["+491711x"], ["+491712x", "+49x"]]);
});

test("workspaces under the floor share a bucket for each recipient, until their codes are entered again", async () => {
  const [one, other] = [await use.workspaceThatChecks(), await use.workspaceThatChecks()];
  for (const workspace of [one, other]) {
    for (let range = 0; range < 10; range += 1) {
      await workspace.ask(minStarts.workspace / 10, `+2348${range}31xxxxxx`);
    }
  }
  await use.minutes(3);
  await Promise.all([one.ask(1, "+447946xxxxxx"), other.ask(1, "+447946xxxxxx")]);
  const send = async (workspace: TrafficWorkspace) =>
    (
      await use.app.rest("POST", "/verify/start", {
        key: workspace.key,
        body: { channel: "sms", recipient: "+31612345678" },
      })
    ).status;
  expect([await send(one), await send(one), await send(one)]).toEqual([201, 201, 201]);
  expect(await send(other)).toBe(429);
  await other.approve(20, users);
  await use.minutes(3);
  await other.approve(1, users);
  expect(await send(other)).toBe(201);
});

test("the database knows calling codes as the server does", async () => {
  const plans: { readonly country_calling_codes: object } = JSON.parse(
    readFileSync(join(plansFolder, "numbering-plans.json"), "utf8"),
  );
  const numbers = Object.keys(plans.country_calling_codes).map((code) => `+${code}234567890`);
  const rows = await rowsOf(
    use.app,
    `SELECT guard_country_range(number) AS range FROM unnest('{${numbers.join(",")}}'::text[]) AS number`,
  );
  expect(rows.map(({ range }) => range)).toEqual(numbers.map(countryRange));
});
