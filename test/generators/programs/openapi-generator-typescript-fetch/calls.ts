import {
  APIKeysApi,
  Channel,
  Configuration,
  type ErrorInfo,
  ErrorResponseFromJSON,
  LookupApi,
  ResponseError,
  type StartVerificationRequest,
  VerifyApi,
} from "./client";

const { BYOND_URL = "", BYONDAPI_KEY = "", JWT = "", RECIPIENT = "" } = process.env;
const basePath = `${BYOND_URL}/api/v1`;
// One configuration for both credentials: each call sends the one that its operation names.
const configuration = new Configuration({ basePath, apiKey: BYONDAPI_KEY, accessToken: JWT });
const verify = new VerifyApi(configuration);

function startFor(recipient: string, more: Partial<StartVerificationRequest> = {}) {
  return { startVerificationRequest: { channel: Channel.Email, recipient, ...more } };
}

/** The status and the error of a call that is refused. */
async function refusalOf(call: Promise<unknown>): Promise<{ status: number; error: ErrorInfo } | undefined> {
  try {
    await call;
    return undefined;
  } catch (refusal) {
    if (!(refusal instanceof ResponseError)) {
      throw refusal;
    }
    const { response } = refusal;
    return { status: response.status, error: ErrorResponseFromJSON(await response.json()).error };
  }
}

async function main(): Promise<void> {
  const started = await verify.startVerification(startFor(RECIPIENT, { brand: "Acme", codeLength: 6 }));
  console.log("started", started.status);

  const checked = await verify.checkVerification({
    checkVerificationRequest: { verificationId: started.verificationId, code: "000000" },
  });
  console.log("checked", checked.status);

  const number = await new LookupApi(configuration).lookupNumber({ number: "+6591234567", country: "SG" });
  console.log("lookup", number.numberE164, number.countryCode, number.lineType);

  const { keys } = await new APIKeysApi(configuration).listApiKeys();
  console.log("keys", keys.map(({ name }) => name).join());

  const invalid = await refusalOf(verify.startVerification(startFor("nobody")));
  console.log("invalid", invalid?.status, invalid?.error.code, Object.keys(invalid?.error.fields ?? {}).join());

  for (let attempt = 0; attempt < 5; attempt += 1) {
    const limited = await refusalOf(verify.startVerification(startFor(RECIPIENT)));
    if (limited !== undefined) {
      console.log("limited", limited.status, limited.error.code, limited.error.retryAfter);
      break;
    }
  }

  const stranger = new VerifyApi(new Configuration({ basePath, apiKey: "pk_test_wrong" }));
  const unauthorized = await refusalOf(stranger.startVerification(startFor(RECIPIENT)));
  console.log("unauthorized", unauthorized?.status, unauthorized?.error.code);
}

main();
