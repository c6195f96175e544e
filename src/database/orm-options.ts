import type pg from "pg";
import type { Logger } from "../observe/log.ts";

/** The options of every instance of the ORM: it connects by `client`, and not by `MIKRO_ORM_…` variables. */
export function ormOptions(
  client: pg.ClientConfig & { readonly database: string },
  logger: Logger,
  onConnect: (client: pg.ClientBase) => Promise<void>,
) {
  return {
    dbName: client.database,
    // Overrides the other connection options of the ORM. A function, because the ORM copies everything else.
    driverOptions: () => ({ ...client, onConnect }),
    // A command that only migrates needs none.
    discovery: { warnWhenNoEntities: false },
    debug: false,
    logger: (message: string) => logger.warn("orm_message", { message }),
  };
}
