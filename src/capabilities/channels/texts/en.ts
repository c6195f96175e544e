import type { MessageTexts } from "./message-texts.ts";

export const en: MessageTexts = {
  language: "en",
  direction: "ltr",
  subject: (brand) => `Your ${brand} verification code`,
  heading: (brand) => `Your ${brand} code`,
  instruction: () => "Enter this code to confirm that it is you:",
  expiry: (minutes) => `It expires in ${inMinutes(minutes)}.`,
  caution: (brand) =>
    `Do not share this code with anyone. If you did not ask ${brand} for it, you can ignore this message.`,
  reset: {
    subject: (brand) => `Set a new password for your ${brand} account`,
    heading: () => "Set a new password",
    instruction: (brand, url) =>
      `This code sets a new password for the ${brand} account with this mail address at ${url}:`,
    caution: () =>
      "Whoever has this code can take over the account. Never read it to anybody, and enter it only where you asked for it yourself. If you did not ask for it, ignore this mail: your password stays as it is.",
  },
  short: (brand, code, minutes) =>
    `${code} is your ${brand} verification code. It expires in ${inMinutes(minutes)}. Do not share it.`,
  spoken: (brand, code, minutes) => {
    const digits = [...code].join(", ");
    return `Your ${brand} verification code is: ${digits}. Once more: ${digits}. It expires in ${inMinutes(minutes)}.`;
  },
};

function inMinutes(minutes: number): string {
  if (minutes === 0) {
    return "less than a minute";
  }
  if (minutes === 60) {
    return "1 hour";
  }
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}
