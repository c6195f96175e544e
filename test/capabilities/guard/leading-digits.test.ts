/** Networks route by the first digits of a number: one that is not valid costs what the numbers do that begin with the same digits. */
import { beforeEach, describe, expect, test } from "vitest";
import { readGoldenNumbers } from "../../../scripts/plans/golden/golden-file.ts";
import { judgeNumber } from "../../../src/capabilities/guard/judge-number.ts";
import { regionsOf } from "../../../src/text/numbering-plans.ts";
import { parsePhoneNumber } from "../../../src/text/phone-number.ts";
import { useTestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { type GuardedWorkspace, guardCalls, guardedDelivery, signUpGuarded } from "./guard-calls.ts";

const app = useTestApp({ delivery: guardedDelivery });
let workspace: GuardedWorkspace;
beforeEach(async () => {
  workspace = await signUpGuarded(app);
});

describe.each(protocols)("over $name", (protocol) => {
  test("surplus, missing or trunk digits do not make a premium-rate number an unknown one", async () => {
    const refused = {
      premium_rate: [
        "+4990012345678",
        "+490900123456789",
        "+4990012345",
        "+3989912345678",
        "+358600123456789",
        "+38190012345678",
        "+3009011234567",
        // Premium-rate numbers of Spain that the plans lack.
        "+34905123456",
        "+34907123456",
        // Personal numbers that are charged as premium-rate ones, 070 in the United Kingdom.
        "+447012345678",
        "+447000123456",
        "+44701234567",
      ],
      shared_cost: ["+41840123456789"],
    };
    for (const key of [workspace.live, workspace.sandbox]) {
      const { start } = guardCalls(protocol, app, workspace, key);
      for (const [reason, numbers] of Object.entries(refused)) {
        for (const number of numbers) {
          const { code, body } = await start(number, { channel: "voice" });
          expect([number, code, body.reason]).toEqual([number, "validation_error", reason]);
        }
      }
      // A landline of Salerno, whose area code is 089; a mobile number with a trunk 0, and one with a digit more; a personal number at an ordinary rate.
      for (const number of ["+390899123456", "+4901511234567", "+49151123456789", "+85281123456"]) {
        expect([number, (await start(number, { channel: "voice" })).code]).toEqual([number, "ok"]);
      }
    }
  });

  test("pagers are counted as numbers that are not valid", async () => {
    const { start, update } = guardCalls(protocol, app, workspace, workspace.live);
    await update({ refuse_invalid_numbers: true });
    for (const pager of ["+447612345678", "+447640123456"]) {
      expect([pager, (await start(pager)).body.reason]).toEqual([pager, "invalid_number"]);
    }
  });
});

/** What the guard says of text that is a possible number of a country. */
function judged(text: string) {
  const number = parsePhoneNumber(text);
  return number === undefined || !number.isPossible() || regionsOf(number).length === 0
    ? { isValid: false, reason: undefined }
    : {
        isValid: number.isValid(),
        reason: judgeNumber(number, { allowedCountries: new Set(), blockedCountries: new Set() }),
      };
}

const isCostly = (reason: string | undefined) => reason === "premium_rate" || reason === "shared_cost";

const ofType = (...types: string[]) => [
  ...new Set(
    readGoldenNumbers()
      .filter(({ valid, type }) => valid && types.includes(type))
      .flatMap(({ e164 }) => e164 ?? []),
  ),
];

test("of all countries, no ordinary number is refused by its first digits, also with a digit more, a digit less or a 0", () => {
  const ordinary = ofType("MOBILE", "FIXED_LINE", "FIXED_LINE_OR_MOBILE", "VOIP");
  expect(ordinary.length).toBeGreaterThan(2_500);
  const refused = ordinary.flatMap((e164) => {
    const code = parsePhoneNumber(e164)?.countryCallingCode ?? "";
    const digits = e164.slice(1 + code.length);
    const wrong = [`${e164}1`, `${e164}7`, e164.slice(0, -1), `+${code}0${digits}`, `+${code}0${digits}5`];
    return [
      ...(isCostly(judged(e164).reason) ? [e164] : []),
      // With another length it may be a valid premium-rate number.
      ...wrong.filter((text) => {
        const { isValid, reason } = judged(text);
        return !isValid && isCostly(reason);
      }),
    ];
  });
  expect(refused).toEqual([]);
});

test("of all countries, nearly every premium-rate or shared-cost number with surplus digits is refused", () => {
  const longer = ofType("PREMIUM_RATE", "SHARED_COST").flatMap((e164) =>
    ["1", "34", "345"].map((surplus) => judged(e164 + surplus)).filter(({ isValid }) => !isValid),
  );
  const possible = longer.filter(({ reason }) => reason !== undefined);
  expect(possible.length).toBeGreaterThan(900);
  expect(possible.filter(({ reason }) => isCostly(reason)).length / possible.length).toBeGreaterThan(0.97);
});
