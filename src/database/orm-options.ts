import type pg from "pg";
import type { Logger } from "../observe/log.ts";
import { clientOf } from "./connect.ts";
import type { PostgresConnection } from "./connection.ts";

/** The options of every instance of the ORM: it connects by `client`, and not by `MIKRO_ORM_…` variables. */
export function ormOptions(
  client: PostgresConnection & Pick<pg.ClientConfig, "query_timeout">,
  logger: Logger,
  onConnect: (client: pg.Client) => Promise<void>,
) {
  return {
    dbName: client.database,
    // Overrides the other connection options of the ORM. A function, because the ORM copies everything else.
    driverOptions: () => ({ ...client, onConnect, Client: clientOf(client) }),
    // A command that only migrates needs none.
    discovery: { warnWhenNoEntities: false },
    debug: false,
    logger: (message: string) => logger.warn("orm_message", { message }),
  };
}
