import { type DatabaseProperties, databaseProperties, problemOf } from "../../database/check-database.ts";
import type { ConnectionSecurity } from "../../database/connection.ts";
import type { ReadingSession } from "../../database/reading-session.ts";
import type { Finding } from "../../finding.ts";
import { problemAndAdvice } from "./route-findings.ts";

const about = "database";

/** What the database is, and how it is set up. With a fault among them, nothing more can be said about it. */
export async function databaseFindings(session: ReadingSession): Promise<Finding[]> {
  const [properties] = await session.query<DatabaseProperties>(databaseProperties);
  const problem = properties && problemOf(properties);
  if (problem !== undefined) {
    const [found, advice] = problemAndAdvice(problem);
    return [{ about, verdict: "fault", found, ...(advice && { advice }) }];
  }
  const found = `PostgreSQL ${properties?.version} at ${addressOf(session.security)}`;
  return [{ about, verdict: "ok", found }, ...(await settingFindings(session))];
}

function addressOf({ server, database, encrypted, server_verified_by }: ConnectionSecurity): string {
  const security =
    encrypted === false
      ? "not encrypted"
      : `encrypted (${encrypted}), server verified by ${server_verified_by === "nothing" ? "nobody" : server_verified_by}`;
  return `${server}/${database}, ${security}`;
}

interface Durability {
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly full_page_writes: string;
}

/** As they apply to a session of the server: what the role and the database set counts. */
const durability = `
  SELECT current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes`;

async function settingFindings(session: ReadingSession): Promise<Finding[]> {
  const [settings] = await session.query<Durability>(durability);
  const advice: Readonly<Record<keyof Durability, string>> = {
    synchronous_commit:
      "Set it to on, for the server, the database and the role: a crash of PostgreSQL loses what clients were told is stored",
    fsync: "Set it to on: a power cut destroys the database",
    full_page_writes: "Set it to on: a power cut can destroy the database",
  };
  const wrong = Object.entries(settings ?? {}).filter(([, value]) => value === "off");
  return wrong.map(([name]) => ({
    about,
    verdict: "warning",
    found: `${name} is off`,
    advice: advice[name as keyof Durability],
  }));
}
