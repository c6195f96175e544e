/** What `byond servers` says of a rotation of the master secret. */
import { expect, test } from "vitest";
import { rotationFinding } from "../../src/process/servers/rotation-finding.ts";

const [old, next] = ["00000001", "00000002"];
const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour));
const unused = [{ id: old, firstUsedAt: at(0), lastUsedAt: at(9) }];
const used = [...unused, { id: next, firstUsedAt: at(8), lastUsedAt: at(10) }];
/** `byond reseal` gives the new secret the beginning of the old one. */
const resealed = [...unused, { id: next, firstUsedAt: at(0), lastUsedAt: at(10) }];

test.each([
  ["before", [[old], [old]], unused, "ok", `every server has the secret ${old} alone: none is under way`, undefined],
  [
    "in the first step",
    [[old], [old, next]],
    unused,
    "warning",
    `step 2 of 4, BYOND_SECRET=${old},${next}, is not complete`,
    "Restart with it: srv_0",
  ],
  [
    "after the first step",
    [
      [old, next],
      [old, next],
    ],
    unused,
    "ok",
    `step 2 of 4, BYOND_SECRET=${old},${next}, is complete`,
    `A day after it was, set BYOND_SECRET=${next},${old} on every server`,
  ],
  [
    "in the second step",
    [
      [next, old],
      [old, next],
    ],
    used,
    "warning",
    `step 3 of 4, BYOND_SECRET=${next},${old}, is not complete`,
    "Restart with it: srv_1",
  ],
  [
    "after the second step",
    [[next, old]],
    used,
    "ok",
    `step 3 of 4, BYOND_SECRET=${next},${old}, is complete`,
    `Run byond reseal, then set BYOND_SECRET=${next} on every server: rows of ${old}`,
  ],
  [
    "after resealing",
    [[next, old]],
    resealed,
    "ok",
    `step 3 of 4, BYOND_SECRET=${next},${old}, is complete`,
    `Run byond reseal, then set BYOND_SECRET=${next} on every server: rows of ${old}`,
  ],
  [
    "in the last step",
    [[next], [next, old]],
    resealed,
    "warning",
    `step 4 of 4, BYOND_SECRET=${next}, is not complete`,
    "Restart with it: srv_1",
  ],
  [
    "with steps left out",
    [[old], [next]],
    used,
    "fault",
    "the servers are not at neighbouring steps of one rotation",
    expect.stringMatching(/^Give every server/),
  ],
  [
    "of three secrets",
    [
      [old, next],
      [old, "00000003"],
    ],
    unused,
    "fault",
    "the servers are not at neighbouring steps of one rotation",
    expect.stringMatching(/^Give every server/),
  ],
])("%s", (_when, secrets, uses, verdict, found, advice) => {
  const servers = secrets.map((secretIds, index) => ({ id: `srv_${index}`, secretIds }));
  const finding = rotationFinding(servers, uses, (id) => [`rows of ${id}`]);
  expect(finding).toEqual({ about: "rotation", verdict, found, ...(advice === undefined ? {} : { advice }) });
});

test("nothing needs the old secret any more", () => {
  const finding = rotationFinding([{ id: "srv_0", secretIds: [next, old] }], used, () => []);
  expect(finding.advice).toBe(`Nothing needs ${old} any more: set BYOND_SECRET=${next} on every server`);
});
