import type { JsonValue } from "@bufbuild/protobuf";
import type { SampleCall, SdkSamples } from "../../../src/capabilities/reference/openapi/samples/sample-call.ts";
import type { Field, Model } from "../model.ts";
import { go } from "./go.ts";
import { php } from "./php.ts";
import { python } from "./python.ts";
import type { SdkCall, SdkLanguage } from "./sdk-call.ts";
import { typescript } from "./typescript.ts";

/** The SDKs, in the order of the switch between languages. */
export const sdkLanguages: readonly SdkLanguage[] = [typescript, python, go, php];

/** Returns what writes the samples of an operation in each SDK, for `buildReference`. */
export function sdkSamples(model: Model): SdkSamples {
  const languages = sdkLanguages.map(({ label, lang, sampleOf }) => ({ label, lang, sample: sampleOf(model) }));
  return (call) => {
    const sdkCall = sdkCallOf(call, model);
    return languages.map(({ label, lang, sample }) => ({ lang, label, source: sample(sdkCall) }));
  };
}

/** The method that makes a call, with the values of the call as its arguments. */
function sdkCallOf({ rpc, credential, variables, query, body }: SampleCall, model: Model): SdkCall {
  for (const service of model.services) {
    const operation = service.operations.find(({ rpcName }) => `${service.rpcService}/${rpcName}` === rpc.name);
    if (operation !== undefined) {
      const given = new Map<string, JsonValue>(body === undefined ? query : Object.entries(Object(body)));
      const parameters = operation.parameters.flatMap((field) => {
        const value = given.get(field.name);
        given.delete(field.name);
        return value === undefined
          ? []
          : [{ field, value: body === undefined ? fromText(field, String(value)) : value }];
      });
      if (given.size > 0) {
        throw new Error(`${operation.id} has no parameters ${[...given.keys()].join(", ")}`);
      }
      const values = new Map(variables);
      const path = operation.pathParameters.map(({ name }) => values.get(name) ?? "");
      return { service, operation, credential, path, parameters };
    }
  }
  throw new Error(`the SDKs have no method for ${rpc.name}`);
}

/** A value of a query. */
function fromText({ type }: Field, text: string): JsonValue {
  return ["boolean", "integer", "number"].includes(type.kind) ? JSON.parse(text) : text;
}
