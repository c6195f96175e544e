import type pg from "pg";
import type { Logger } from "../observe/log.ts";
import { applySessionSettings } from "./session-settings.ts";

/** What every ORM has in common: it connects as `client` says, and not as `MIKRO_ORM_…` variables do. */
export function ormOptions(client: pg.ClientConfig & { readonly database: string }, logger: Logger) {
  return {
    dbName: client.database,
    // Over anything else that the ORM knows. A function, because it copies what is not one.
    driverOptions: () => ({ ...client, onConnect: applySessionSettings }),
    // A command that only migrates needs none.
    discovery: { warnWhenNoEntities: false },
    debug: false,
    logger: (message: string) => logger.warn("database", { message }),
  };
}
