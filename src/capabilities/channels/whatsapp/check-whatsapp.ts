import { field, getJson } from "../http/http-post.ts";
import { checkTimeoutMs, judgeAnswer, type ProviderCheck } from "../provider-check.ts";
import type { WhatsappOptions } from "./whatsapp.ts";

/** Of Meta's errors: the token is not valid, or not for this phone number. */
const refusals: ReadonlySet<unknown> = new Set([190, 100, 10, 200]);

/** Asks Meta for the phone number that sends, with the token. Whether the template is approved is not known from that. */
export async function checkWhatsapp({
  apiUrl,
  phoneNumberId,
  token,
}: Pick<WhatsappOptions, "apiUrl" | "phoneNumberId" | "token">): Promise<ProviderCheck> {
  const answer = await getJson({
    url: `${apiUrl}/${encodeURIComponent(phoneNumberId)}?fields=verified_name`,
    headers: { Authorization: `Bearer ${token}` },
    timeoutMs: checkTimeoutMs,
  });
  const check = judgeAnswer(
    answer,
    (body, status) => status === 400 && refusals.has(field(field(body, "error"), "code")),
  );
  return check.advice === "Correct them"
    ? {
        ...check,
        advice: "Correct WHATSAPP_TOKEN and WHATSAPP_PHONE_NUMBER_ID: the token must be valid, and for this number",
      }
    : check;
}
