// A server reduced to its PostgreSQL, for the tests that kill it: node embedded-postgres-owner.ts <data folder>
// Prints one line of JSON, {"url"} or {"error"}; ends in order on SIGTERM, and only then.
import { startEmbeddedPostgres } from "@byond/embedded-postgres";

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error("name a data folder");
try {
  const postgres = await startEmbeddedPostgres({ dataDir, settings: { fsync: "off" } });
  process.on("SIGINT", () => console.log(JSON.stringify({ signal: "SIGINT" })));
  process.on("SIGTERM", () => postgres.stop().then(() => process.exit(0)));
  console.log(JSON.stringify({ url: postgres.url }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
  process.exitCode = 1;
}
