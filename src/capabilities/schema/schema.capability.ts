import type { Capability } from "../../capability.ts";
import { schemaPages } from "./schema-pages.ts";

/** The protobuf schema, for those who generate clients: `/protos.tar.gz`, `/protos/…`, `/byond.binpb`. */
export function schemaCapability(): Capability {
  return { name: "schema", start: () => ({ pages: schemaPages }) };
}
