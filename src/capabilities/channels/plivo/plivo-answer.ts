import { createHash } from "node:crypto";
import { EncryptJWT, errors, jwtDecrypt } from "jose";
import { escapeHtml } from "../../../server/html-template.ts";
import { type PlivoVoice, plivoVoices } from "./plivo-voices.ts";

/** What a call says. */
export interface PlivoSpeech {
  readonly text: string;
  readonly voice: PlivoVoice;
}

/**
 * What a call says, on its way to the call: Plivo takes the words from a URL when the call is answered, and the message is
 * forgotten by then. They are in the URL, encrypted: URLs are kept in logs. Every server with the same token can read them.
 */
export class PlivoAnswers {
  readonly #key: Uint8Array;

  constructor(authToken: string) {
    this.#key = createHash("sha256").update("byond plivo answer\n").update(authToken).digest();
  }

  /** The words, for the query of the answer URL. They can be read until the code expires. */
  seal({ text, voice }: PlivoSpeech, expiresAt: Date): Promise<string> {
    return new EncryptJWT({ text, voice })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setExpirationTime(expiresAt)
      .encrypt(this.#key);
  }

  /** Undefined if the words were not sealed with this token, or have expired. */
  async open(sealed: string, now: Date): Promise<PlivoSpeech | undefined> {
    try {
      const { payload } = await jwtDecrypt<Partial<PlivoSpeech>>(sealed, this.#key, { currentDate: now });
      const { text, voice = plivoVoices.en } = payload;
      return text === undefined ? undefined : { text, voice };
    } catch (error) {
      if (error instanceof errors.JOSEError) {
        return undefined;
      }
      throw error;
    }
  }
}

/** Plivo XML that speaks the words and hangs up (the escapes of HTML are also those of XML). */
export function speakXml({ text, voice }: PlivoSpeech): string {
  const attributes = Object.entries(voice).map(([name, value]) => ` ${name}="${escapeHtml(value)}"`);
  return `<?xml version="1.0" encoding="UTF-8"?><Response><Speak${attributes.join("")}>${escapeHtml(text)}</Speak><Hangup/></Response>`;
}

/** For a call whose code has expired by the time that it is answered. */
export const hangUpXml = `<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>`;
