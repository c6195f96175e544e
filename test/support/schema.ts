import { standardCapabilities } from "../../src/app.ts";
import { schemaOf } from "../../src/process/database-schema.ts";

/** The tables of a server with the standard capabilities. */
export const standardSchema = schemaOf(standardCapabilities());
