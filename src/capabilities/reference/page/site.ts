import type { DescService } from "@bufbuild/protobuf";
import { currentApiVersion } from "../../../rpc/api-versions.ts";
import { guideValues } from "../guide.ts";
import type { OpenApi } from "./openapi-shape.ts";
import type { ReferencePage, Site } from "./reference-page.ts";

interface SiteParts {
  /** The document as it is served, with the server's address. */
  readonly document: OpenApi;
  /** Public base URL of the server. */
  readonly origin: string;
  readonly services: readonly DescService[];
  readonly pages: readonly ReferencePage[];
  readonly miniSearch: string;
}

/** What the pages are made of. */
export function createSite({ document, origin, services, pages, miniSearch }: SiteParts): Site {
  const basePath = new URL(document.servers[0]?.url ?? origin).pathname.slice(
    new URL(origin).pathname.replace(/\/$/, "").length,
  );
  const values = guideValues({ origin, basePath, version: currentApiVersion, services });
  return { origin, document, values, pages, miniSearch };
}
