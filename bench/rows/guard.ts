import { mintKey, startByond } from "../byond.ts";
import { MessageProvider } from "../guard/message-provider.ts";
import { requestBytes } from "../load/http1.ts";
import { restCaller } from "../load/load.ts";
import { compare, type Outcome, perSecond, type Row, type Run, throughput } from "../row.ts";
import { outboxIsEmpty } from "../verify-workspace.ts";

const connections = 16;
const warmUpCalls = 2_000;
let recipients = 0;

/** Both sides are one server: starts of two workspaces, one of which has switched its guard off. Their messages leave the server. */
async function measureGuard(run: Run): Promise<Outcome> {
  const { postgres, seconds } = run;
  const databaseUrl = await postgres.createDatabase();
  await using provider = await MessageProvider.open();
  await using byond = await startByond(databaseUrl, provider.environment);
  const callerOf = async (mode: "enforce" | "off") => {
    const key = await mintKey(byond.url, databaseUrl, "live", ["verify", "guard"]);
    const answer = await fetch(`${byond.url}/api/v1/guard`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json", "X-API-Key": key },
      body: JSON.stringify({ guard_mode: mode }),
    });
    if (!answer.ok) {
      throw new Error(`PATCH /guard answered ${answer.status}: ${await answer.text()}`);
    }
    return restCaller({
      url: byond.url,
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
  using guarded = await callerOf("enforce");
  using unguarded = await callerOf("off");
  const side = (caller: typeof guarded) => ({
    warmUp: () => caller.run({ calls: warmUpCalls }),
    measure: async () => {
      const result = await caller.run({ seconds });
      await outboxIsEmpty(postgres, databaseUrl);
      return throughput(result);
    },
  });
  return await compare(run, perSecond, side(guarded), side(unguarded));
}

export const guardRows: readonly Row[] = [
  {
    name: "guard",
    what: "start over SMS, with the guard",
    against: "the same with the guard switched off",
    now: "≥ 0.9",
    goal: "0.95",
    measure: measureGuard,
  },
];
