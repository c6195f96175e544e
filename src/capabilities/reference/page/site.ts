import type { DescService, JsonObject } from "@bufbuild/protobuf";
import { currentApiVersion } from "../../../rpc/api-versions.ts";
import { guideValues } from "../guide.ts";
import { placeholderOrigin } from "../openapi/reference-document.ts";
import { forServerAt } from "../openapi/samples/grpcurl.ts";
import type { OpenApi } from "./openapi-shape.ts";
import type { ReferencePage, Site } from "./reference-page.ts";

interface SiteParts {
  readonly document: JsonObject;
  /** Public base URL of the server. Never from a request: see `liveText`. */
  readonly origin: string;
  readonly services: readonly DescService[];
  readonly pages: readonly ReferencePage[];
  readonly miniSearch: string;
}

/** What the pages are made of: the document and the texts, with the server's address in them. */
export function createSite({ document, origin, services, pages, miniSearch }: SiteParts): Site {
  const escaped = JSON.stringify(origin).slice(1, -1);
  const live: OpenApi = JSON.parse(
    forServerAt(origin, JSON.stringify(document)).replaceAll(placeholderOrigin, () => escaped),
  );
  const basePath = new URL(live.servers[0]?.url ?? origin).pathname.slice(
    new URL(origin).pathname.replace(/\/$/, "").length,
  );
  const values = guideValues({ origin, basePath, version: currentApiVersion, services });
  return { origin, document: live, values, pages, miniSearch };
}
