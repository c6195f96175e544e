import type { JsonObject } from "@bufbuild/protobuf";
import { curl } from "./curl.ts";
import { go } from "./go.ts";
import { grpcurl } from "./grpcurl.ts";
import { java } from "./java.ts";
import { javascript } from "./javascript.ts";
import { php } from "./php.ts";
import { python } from "./python.ts";
import type { SampleCall, SampleLanguage, SdkSamples } from "./sample-call.ts";

/**
 * The languages of the samples without an SDK, in the order of the switch. Samples read the server's address from `BYOND_URL`, the API key from
 * `BYONDAPI_KEY` and the access token of a session from `JWT`.
 */
export const sampleLanguages: readonly SampleLanguage[] = [curl, javascript, python, go, php, java, grpcurl];

/** The call in every language, in the form of the extension `x-codeSamples`: in curl, in the SDKs, then in the other languages. */
export function codeSamples(call: SampleCall, sdkSamples: SdkSamples): JsonObject[] {
  const [inCurl, ...others] = sampleLanguages.map(({ lang, label, sample }) => ({ lang, label, source: sample(call) }));
  return [...(inCurl === undefined ? [] : [inCurl]), ...sdkSamples(call), ...others];
}
