import type { Tool } from "./tool.ts";
import { openapiTypescript } from "./tools/openapi-typescript.ts";
import { spectral } from "./tools/spectral.ts";

/** In the order of the table. */
export const tools: readonly Tool[] = [openapiTypescript, spectral];
