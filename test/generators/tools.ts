import type { Tool } from "./tool.ts";
import { datamodelCodeGenerator } from "./tools/datamodel-code-generator.ts";
import { heyApi } from "./tools/hey-api.ts";
import { oapiCodegen } from "./tools/oapi-codegen.ts";
import { ogen } from "./tools/ogen.ts";
import { openApiGeneratorValidate } from "./tools/openapi-generator.ts";
import { openApiGeneratorCsharp } from "./tools/openapi-generator-csharp.ts";
import { openApiGeneratorGo } from "./tools/openapi-generator-go.ts";
import { openApiGeneratorJava } from "./tools/openapi-generator-java.ts";
import { openApiGeneratorKotlin } from "./tools/openapi-generator-kotlin.ts";
import { openApiGeneratorPhp } from "./tools/openapi-generator-php.ts";
import { openApiGeneratorPython } from "./tools/openapi-generator-python.ts";
import { openApiGeneratorRust } from "./tools/openapi-generator-rust.ts";
import { openApiGeneratorTypeScript } from "./tools/openapi-generator-typescript.ts";
import { openapiPythonClient } from "./tools/openapi-python-client.ts";
import { openapiToPostman } from "./tools/openapi-to-postmanv2.ts";
import { openapiTypescript } from "./tools/openapi-typescript.ts";
import { openapiZodClient } from "./tools/openapi-zod-client.ts";
import { orval } from "./tools/orval.ts";
import { redocly } from "./tools/redocly.ts";
import { spectral } from "./tools/spectral.ts";

/** In the order of the table. */
export const tools: readonly Tool[] = [
  openApiGeneratorValidate,
  openApiGeneratorTypeScript,
  openApiGeneratorGo,
  openApiGeneratorPython,
  openApiGeneratorJava,
  openApiGeneratorPhp,
  openApiGeneratorCsharp,
  openApiGeneratorKotlin,
  openApiGeneratorRust,
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
