import { literal } from "../../../src/capabilities/reference/openapi/samples/literal.ts";
import { dialect, python as withoutSdk } from "../../../src/capabilities/reference/openapi/samples/python.ts";
import { snakeCase } from "../names.ts";
import { pythonName } from "../python.ts";
import { callText, type SdkCall, type SdkLanguage } from "./sdk-call.ts";

export const python: SdkLanguage = { label: "Python SDK", lang: "python", key: withoutSdk.key, sampleOf: () => sample };

const options = {
  key: `api_key=${withoutSdk.key.text}`,
  session: 'access_token=os.environ["JWT"]',
  none: "",
};

function sample({ service, operation, credential, path, parameters }: SdkCall): string {
  const { name, pages, stream, result } = operation;
  const members = [
    ...path.map((one) => JSON.stringify(one)),
    ...parameters.map(({ field, value }) => `${pythonName(field.name)}=${literal(value, dialect, "    ")}`),
  ];
  const call = callText(`byond.${service.name}.${pythonName(name)}(`, members, ")", { step: "    " });
  const item = snakeCase(pages?.itemType ?? result.type);
  return [
    ...(credential === "none" ? [] : ["import os", ""]),
    "from byond import Byond",
    "",
    `byond = Byond(${options[credential]})`,
    ...(stream !== undefined
      ? [`with ${call} as stream:`, `    for ${item} in stream:`, `        print(${item}, flush=True)`]
      : pages !== undefined
        ? [`for ${item} in ${call}:`, `    print(${item})`]
        : [`result = ${call}`, "print(result)"]),
  ].join("\n");
}
