import { expect } from "vitest";
import { freePrices } from "../capabilities/balance/balance-fixture.ts";
import { createWorld, operationCalls } from "../capabilities/reference/operation-calls.ts";

import type { TestApp } from "./app.ts";

/** What a server has to be started with for `callEveryOperation`. */
export const everyOperation = { allowsFixedCodes: true, prices: freePrices } as const;

/** Makes every call of the API, and expects the status that is documented for it. */
export async function callEveryOperation(app: TestApp): Promise<void> {
  const world = await createWorld(app);
  for (const [operation, calls] of Object.entries(operationCalls)) {
    for (const call of calls) {
      const [answer, expected] = await call(world);
      expect(answer.status, `${operation}: ${JSON.stringify(answer.body)}`).toBe(expected);
    }
  }
}
