import type { MessageTexts } from "../message-texts.ts";

export const nl: MessageTexts = {
  language: "nl",
  direction: "ltr",
  timeLeft: { lessThanMinute: "minder dan een minuut", one: "# minuut", other: "# minuten", hour: "1 uur" },
  digits: ["nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"],
  pause: ", ",
  preheader: "Open dit bericht om uw code te zien. Deel de code met niemand.",
  sandbox: "Testbericht: het is naar niemand verzonden.",
  subject: (brand) => `Uw verificatiecode voor ${brand}`,
  heading: (brand) => `Uw code voor ${brand}`,
  instruction: "Voer deze code in om te bevestigen dat u het bent:",
  expiry: (time) => `De code verloopt over ${time}.`,
  caution: () => "Deel deze code met niemand. Hebt u er niet om gevraagd? Dan kunt u dit bericht negeren.",
  short: ({ brand, code, time }) =>
    `Uw verificatiecode voor ${brand} is ${code}. De code verloopt over ${time}. Deel deze code met niemand.`,
  spoken: ({ brand, code, time }) =>
    `Uw verificatiecode voor ${brand} is: ${code}. Nogmaals: ${code}. De code verloopt over ${time}.`,
  reset: {
    subject: (brand) => `Stel een nieuw wachtwoord in voor uw account bij ${brand}`,
    heading: "Nieuw wachtwoord instellen",
    instruction: (brand, url) =>
      `Met deze code stelt u op ${url} een nieuw wachtwoord in voor het account bij ${brand} met dit e-mailadres:`,
    caution:
      "Wie deze code heeft, kan het account overnemen. Geef de code nooit aan iemand door en voer deze alleen in waar u er zelf om hebt gevraagd. Hebt u er niet om gevraagd? Negeer dan deze e-mail: uw wachtwoord blijft ongewijzigd.",
  },
  approval: {
    subject: (brand) => `Uw code van ${brand} om een betaling goed te keuren`,
    heading: "Betaling goedkeuren",
    instruction: ({ payee, amount }) => `Voer deze code in om de betaling van ${amount} aan ${payee} goed te keuren:`,
    caution: (brand) =>
      `Herkent u deze betaling niet? Voer de code dan niet in, deel deze met niemand en neem meteen contact met ${brand} op.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} is uw code van ${brand} om ${amount} te betalen aan ${payee} (verloopt over ${time}). Deel deze code met niemand.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Uw code van ${brand} om ${amount} te betalen aan ${payee} is: ${code}. Nogmaals: ${code}. De code verloopt over ${time}. Herkent u deze betaling niet? Hang dan op.`,
  },
};
