import type { Capability } from "../../capability.ts";
import { docsPages } from "./page/docs-pages.ts";

/** The reference: `/openapi.json`, `/docs`, `/docs/errors`. */
export function referenceCapability(): Capability {
  return {
    name: "reference",
    start: ({ publicUrl, url, scopes }) => ({ pages: (services) => docsPages({ publicUrl, url, services, scopes }) }),
  };
}
