import { guideText } from "../../../src/capabilities/reference/guide.ts";
import { apiVersions } from "../../../src/rpc/api-versions.ts";
import { allMethods } from "../../wire/request-messages.ts";

/** The guide with the address of a server. */
export async function guideOf(origin: string): Promise<string> {
  const services = [...new Set((await allMethods()).map(({ parent }) => parent))];
  return guideText({ origin, basePath: "/api/v1", version: apiVersions.at(-1)?.version ?? "", services });
}
