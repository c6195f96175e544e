import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mintKey, startByond } from "../byond.ts";
import { MessageProvider } from "../guard/message-provider.ts";
import { requestBytes } from "../load/http1.ts";
import { restCaller } from "../load/load.ts";
import { runFolder } from "../processes.ts";
import { compare, type Outcome, perSecond, type Row, type Run, throughput } from "../row.ts";
import { outboxIsEmpty } from "../verify-workspace.ts";

const connections = 16;
const warmUpCalls = 2_000;
let recipients = 0;

/** Two servers on one database, of which one has prices, and two workspaces. Their messages leave the server. */
async function measurePrices(run: Run): Promise<Outcome> {
  const { postgres, seconds } = run;
  const databaseUrl = await postgres.createDatabase();
  await using provider = await MessageProvider.open();
  const prices = join(runFolder, "prices.json");
  writeFileSync(prices, JSON.stringify({ currency: "EUR", digits: 4, messages: { sms: { default: 700, DE: 730 } } }));
  await using priced = await startByond(databaseUrl, { ...provider.environment, PRICES: prices });
  await using free = await startByond(databaseUrl, provider.environment);
  const callerOf = async (url: string) => {
    const key = await mintKey(url, databaseUrl, "live", ["verify"]);
    return restCaller({
      url,
      connections,
      status: 201,
      request: () => {
        recipients += 1;
        const recipient = `+4915${String(recipients * 7_919)
          .slice(-9)
          .padStart(9, "0")}`;
        return requestBytes("POST", "/api/v1/verify/start", { "X-API-Key": key }, { channel: "sms", recipient });
      },
    });
  };
  using charged = await callerOf(priced.url);
  using uncharged = await callerOf(free.url);
  await postgres.asAdministrator(
    (client) => client.query("SELECT balance_top_up(id, 'bench', 1000000000000) FROM workspace"),
    databaseUrl,
  );
  const side = (caller: typeof charged) => ({
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => {
      const result = await caller.run({ seconds });
      await outboxIsEmpty(postgres, databaseUrl);
      return throughput(result);
    },
  });
  return await compare(run, perSecond, side(charged), side(uncharged));
}

export const priceRows: readonly Row[] = [
  {
    name: "prices",
    what: "start over SMS, with prices",
    against: "the same without prices",
    now: "≥ 0.9",
    goal: "0.95",
    measure: measurePrices,
  },
];
