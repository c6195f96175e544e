import type { MessageTexts } from "../message-texts.ts";

export const en: MessageTexts = {
  language: "en",
  direction: "ltr",
  timeLeft: { lessThanMinute: "less than a minute", one: "# minute", other: "# minutes", hour: "1 hour" },
  digits: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
  pause: ", ",
  preheader: "Open this message to see your code. Do not share it with anyone.",
  sandbox: "Test message: it was not sent to anyone.",
  subject: (brand) => `Your ${brand} verification code`,
  heading: (brand) => `Your ${brand} code`,
  instruction: "Enter this code to confirm that it is you:",
  expiry: (time) => `It expires in ${time}.`,
  caution: (brand) =>
    `Do not share this code with anyone. If you did not ask ${brand} for it, you can ignore this message.`,
  short: ({ brand, code, time }) =>
    `${code} is your ${brand} verification code. It expires in ${time}. Do not share it.`,
  spoken: ({ brand, code, time }) =>
    `Your ${brand} verification code is: ${code}. Once more: ${code}. It expires in ${time}.`,
  reset: {
    subject: (brand) => `Set a new password for your ${brand} account`,
    heading: "Set a new password",
    instruction: (brand, url) =>
      `This code sets a new password for the ${brand} account with this email address at ${url}:`,
    caution:
      "Anyone who has this code can take over the account. Never share it with anyone, and enter it only where you asked for it yourself. If you did not ask for it, ignore this email: your password stays as it is.",
  },
  approval: {
    subject: (brand) => `Your ${brand} code to approve a payment`,
    heading: "Approve a payment",
    instruction: ({ payee, amount }) => `Enter this code to approve the payment of ${amount} to ${payee}:`,
    caution: (brand) =>
      `If you do not recognise this payment, do not enter the code, do not share it with anyone, and contact ${brand} at once.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} is your ${brand} code to pay ${amount} to ${payee} (expires in ${time}). Do not share it.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Your ${brand} code to pay ${amount} to ${payee} is: ${code}. Once more: ${code}. It expires in ${time}. If you do not recognise this payment, hang up.`,
  },
};
