import { expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";
import { freePrices } from "./balance-fixture.ts";

const app = useTestApp({ prices: freePrices });

test("a cap has all the digits that the schema takes, though the number is not a safe integer", async () => {
  const { session } = await app.signUp();
  const amount = "999999999999.999999";
  const set = await app.rest("PUT", "/spend-caps/workspace", { session, body: { amount, period: "month" } });
  expect(set, JSON.stringify(set.body)).toMatchObject({ status: 200, body: { amount } });
  const listed = await app.rest("GET", "/spend-caps", { session });
  expect(listed.body.spend_caps).toMatchObject([{ amount }]);
});
