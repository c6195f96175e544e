import { createHash } from "node:crypto";
import { errors, jwtVerify } from "jose";
import { equalSecrets } from "../../../crypto/equal-secrets.ts";

/**
 * How old a signed report may be. Vonage does not say whether it signs anew what it sends again, so that this is longer than the
 * outage of a server usually is. A report that is sent twice changes nothing.
 */
const longestAgeS = 3_600;
const clockToleranceS = 60;

/**
 * Whether Vonage signed the body of a webhook: the header `Authorization` has a JWT, signed with HS256 and the account's signature
 * secret, whose `payload_hash` is the SHA-256 of the body ("Decoding signed webhooks"). Vonage's texts say both that the hash is
 * of the payload and that it is of its JSON without white space: either is accepted.
 */
export async function isSignedByVonage(
  authorization: string | undefined,
  body: Buffer,
  signatureSecret: string,
  now: Date,
): Promise<boolean> {
  const [, token = ""] = /^Bearer ([\w.-]+)$/i.exec(authorization ?? "") ?? [];
  try {
    const { payload } = await jwtVerify(token, Buffer.from(signatureSecret), {
      algorithms: ["HS256"],
      currentDate: now,
      maxTokenAge: longestAgeS,
      clockTolerance: clockToleranceS,
    });
    const hash = payload.payload_hash;
    return typeof hash === "string" && hashesOf(body).some((expected) => equalSecrets(hash.toLowerCase(), expected));
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      return false;
    }
    throw error;
  }
}

function hashesOf(body: Buffer): string[] {
  const hash = (content: Buffer | string) => createHash("sha256").update(content).digest("hex");
  try {
    return [hash(body), hash(JSON.stringify(JSON.parse(body.toString("utf8"))))];
  } catch {
    return [hash(body)];
  }
}
