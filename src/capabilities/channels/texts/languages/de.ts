import type { MessageTexts } from "../message-texts.ts";

export const de: MessageTexts = {
  language: "de",
  direction: "ltr",
  timeLeft: {
    lessThanMinute: "weniger als einer Minute",
    one: "einer Minute",
    other: "# Minuten",
    hour: "einer Stunde",
  },
  digits: ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
  pause: ", ",
  preheader: "Öffnen Sie diese Nachricht, um Ihren Code zu sehen. Geben Sie ihn nicht weiter.",
  sandbox: "Testnachricht: Sie wurde an niemanden gesendet.",
  subject: (brand) => `Ihr Bestätigungscode für ${brand}`,
  heading: (brand) => `Ihr Code für ${brand}`,
  instruction: "Geben Sie diesen Code ein, um Ihre Identität zu bestätigen:",
  expiry: (time) => `Er läuft in ${time} ab.`,
  caution: () =>
    "Geben Sie diesen Code nicht weiter. Wenn Sie ihn nicht angefordert haben, können Sie diese Nachricht ignorieren.",
  short: ({ brand, code, time }) =>
    `Ihr Bestätigungscode für ${brand} lautet ${code}. Er läuft in ${time} ab. Geben Sie ihn nicht weiter.`,
  spoken: ({ brand, code, time }) =>
    `Ihr Bestätigungscode für ${brand} lautet: ${code}. Ich wiederhole: ${code}. Er läuft in ${time} ab.`,
  reset: {
    subject: (brand) => `Legen Sie ein neues Passwort für Ihr Konto bei ${brand} fest`,
    heading: "Neues Passwort festlegen",
    instruction: (brand, url) =>
      `Mit diesem Code lässt sich auf ${url} ein neues Passwort für das Konto bei ${brand} mit dieser E-Mail-Adresse festlegen:`,
    caution:
      "Wer diesen Code hat, kann das Konto übernehmen. Nennen Sie ihn niemandem, und geben Sie ihn nur dort ein, wo Sie ihn selbst angefordert haben. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese E-Mail: Ihr Passwort bleibt unverändert.",
  },
  approval: {
    subject: (brand) => `Ihr Code von ${brand} zur Freigabe einer Zahlung`,
    heading: "Zahlung freigeben",
    instruction: ({ payee, amount }) =>
      `Geben Sie diesen Code ein, um die Zahlung von ${amount} an ${payee} freizugeben:`,
    caution: (brand) =>
      `Wenn Sie diese Zahlung nicht kennen, geben Sie den Code nicht ein, geben Sie ihn nicht weiter und kontaktieren Sie ${brand} umgehend.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} ist Ihr Code von ${brand} für die Zahlung von ${amount} an ${payee} (läuft in ${time} ab). Geben Sie ihn nicht weiter.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Ihr Code von ${brand} für die Zahlung von ${amount} an ${payee} lautet: ${code}. Ich wiederhole: ${code}. Er läuft in ${time} ab. Wenn Sie diese Zahlung nicht kennen, legen Sie auf.`,
  },
};
