import { createKeyring, type Keyring } from "../../crypto/keyring.ts";
import { describeUsedSecrets, type SealedRows } from "../../crypto/master-secret-use.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Finding } from "../../finding.ts";
import { clockOffsetMs } from "../../revocation/clock-offset.ts";
import { clockToleranceMs, maxClockOffsetMs } from "../../revocation/revocation.policy.ts";
import { explainDisagreement, explainNeed, readOtherServers } from "../register-server.ts";

interface AgreementOptions {
  /** Undefined: there are none yet. */
  readonly secrets: readonly string[] | undefined;
  readonly secretsAreIn: string;
  readonly sealed: readonly SealedRows[];
  readonly now: () => Date;
}

/** Whether this machine fits the database and the servers that run on it: clocks and secrets. For a schema of this version. */
export async function agreementFindings(session: ReadingSession, options: AgreementOptions): Promise<Finding[]> {
  const keyring = options.secrets && createKeyring(options.secrets);
  const secretIds = keyring?.all.map(({ id }) => id) ?? [];
  const sentAtMs = options.now().getTime();
  const [seen] = await session.run(readOtherServers, { secretIds });
  const offsetMs = seen === undefined ? 0 : clockOffsetMs(seen.nowMs, sentAtMs, options.now().getTime());
  const disagreeing = keyring === undefined ? [] : (seen?.disagreeing ?? []);
  const found = disagreeing.map((other): Finding => {
    const [problem, advice] = sentencesOf(explainDisagreement({ ...options, keyring: keyring as Keyring }, other));
    return { about: "secrets", verdict: "fault", found: problem, advice };
  });
  return [clockFinding(offsetMs), ...found, ...(await needFindings(session, options, secretIds, found.length === 0))];
}

/** The end of a sentence of a refused start says what to do. */
function sentencesOf(text: string): [string, string] {
  const end = text.indexOf(". ");
  return end === -1 ? [text, ""] : [text.slice(0, end), text.slice(end + 2)];
}

function clockFinding(offsetMs: number): Finding {
  const about = "clocks";
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  const found = `PostgreSQL's clock is ${seconds} seconds ${offsetMs > 0 ? "ahead of" : "behind"} this machine's`;
  const advice = "Run NTP on both machines";
  if (Math.abs(offsetMs) > maxClockOffsetMs) {
    return { about, verdict: "fault", found: `${found}: the server does not start`, advice };
  }
  if (Math.abs(offsetMs) > clockToleranceMs) {
    return { about, verdict: "warning", found, advice };
  }
  return { about, verdict: "ok", found: `this machine and PostgreSQL agree within ${Math.max(1, seconds)} s` };
}

async function needFindings(
  session: ReadingSession,
  { sealed, secretsAreIn, secrets }: AgreementOptions,
  secretIds: readonly string[],
  agrees: boolean,
): Promise<Finding[]> {
  const about = "secrets";
  const used = await describeUsedSecrets(session, sealed, (id) => !secretIds.includes(id));
  const needed = used.filter(({ needs }) => needs.length > 0);
  if (needed.length > 0) {
    return needed.map((need) => {
      const [found, advice] = sentencesOf(explainNeed({ secretsAreIn }, need));
      return { about, verdict: "fault", found, advice };
    });
  }
  if (!agrees) {
    return [];
  }
  const found =
    secrets === undefined
      ? "there is none yet: the first start makes one"
      : `${secretsAreIn} (${secretIds.join(", ")}) opens all rows, and fits the servers that run`;
  return [{ about, verdict: "ok", found }];
}
