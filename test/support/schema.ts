import { standardCapabilities } from "../../src/app.ts";
import { schemaOf, workspaceTablesOf } from "../../src/process/database-schema.ts";

/** The tables of a server with the standard capabilities. */
export const standardSchema = schemaOf(standardCapabilities());

/** Those of them whose rows belong to a workspace. */
export const standardWorkspaceTables = workspaceTablesOf(standardCapabilities());
