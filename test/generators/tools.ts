import type { Tool } from "./tool.ts";
import { datamodelCodeGenerator } from "./tools/datamodel-code-generator.ts";
import { heyApi } from "./tools/hey-api.ts";
import { oapiCodegen } from "./tools/oapi-codegen.ts";
import { ogen } from "./tools/ogen.ts";
import { openapiPythonClient } from "./tools/openapi-python-client.ts";
import { openapiToPostman } from "./tools/openapi-to-postmanv2.ts";
import { openapiTypescript } from "./tools/openapi-typescript.ts";
import { openapiZodClient } from "./tools/openapi-zod-client.ts";
import { orval } from "./tools/orval.ts";
import { redocly } from "./tools/redocly.ts";
import { spectral } from "./tools/spectral.ts";

/** In the order of the table. */
export const tools: readonly Tool[] = [
  openapiTypescript,
  heyApi,
  orval,
  openapiZodClient,
  openapiPythonClient,
  datamodelCodeGenerator,
  ogen,
  oapiCodegen,
  openapiToPostman,
  spectral,
  redocly,
];
