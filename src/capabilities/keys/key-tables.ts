import type { TablesOf } from "../../database/table-query.ts";
import type { ApiKeyEntity } from "./api-key.entity.ts";
import type { ApiKeySecretEntity } from "./api-key-secret.entity.ts";

/** The tables of keys. */
export type KeyTables = TablesOf<typeof ApiKeyEntity | typeof ApiKeySecretEntity>;
