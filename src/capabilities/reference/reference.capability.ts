import type { Capability } from "../../capability.ts";
import { docsPages } from "./page/docs-pages.ts";

/** The reference: `/openapi.json`, `/docs`, `/docs/errors`. */
export function referenceCapability(): Capability {
  return {
    name: "reference",
    start: ({ url, scopes }) => ({ pages: (services) => docsPages({ url, services, scopes }) }),
  };
}
