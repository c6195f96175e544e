import type { MessageTexts } from "../message-texts.ts";

export const pl: MessageTexts = {
  language: "pl",
  direction: "ltr",
  timeLeft: {
    lessThanMinute: "mniej niż minutę",
    one: "minutę",
    few: "# minuty",
    many: "# minut",
    other: "# minuty",
    hour: "60 minut",
  },
  digits: ["zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem", "dziewięć"],
  pause: ", ",
  preheader: "Otwórz tę wiadomość, aby zobaczyć kod. Nie udostępniaj go nikomu.",
  sandbox: "Wiadomość testowa: nie została do nikogo wysłana.",
  subject: (brand) => `Kod weryfikacyjny ${brand}`,
  heading: (brand) => `Kod ${brand}`,
  instruction: "Wpisz ten kod, aby potwierdzić swoją tożsamość:",
  expiry: (time) => `Kod wygaśnie za ${time}.`,
  caution: () => "Nie udostępniaj nikomu tego kodu. Jeśli to nie Ty prosisz o kod, zignoruj tę wiadomość.",
  short: ({ brand, code, time }) => `Kod ${brand}: ${code}. Wygasa za ${time}. Nie podawaj go nikomu.`,
  spoken: ({ brand, code, time }) =>
    `Kod weryfikacyjny ${brand} to: ${code}. Powtarzam: ${code}. Kod wygaśnie za ${time}.`,
  reset: {
    subject: (brand) => `Ustaw nowe hasło do konta ${brand}`,
    heading: "Ustaw nowe hasło",
    instruction: (brand, url) =>
      `Ten kod służy do ustawienia na serwerze ${url} nowego hasła do konta ${brand} z tym adresem e-mail:`,
    caution:
      "Każdy, kto ma ten kod, może przejąć konto. Nigdy nikomu go nie podawaj i wpisuj go tylko tam, gdzie o niego prosisz. Jeśli to nie Ty prosisz o kod, zignoruj tę wiadomość: hasło się nie zmieni.",
  },
  approval: {
    subject: (brand) => `Kod ${brand} do zatwierdzenia płatności`,
    heading: "Zatwierdzenie płatności",
    instruction: ({ payee, amount }) => `Wpisz ten kod, aby zatwierdzić płatność w kwocie ${amount} na rzecz ${payee}:`,
    caution: (brand) =>
      `Jeśli nie rozpoznajesz tej płatności, nie wpisuj kodu, nie udostępniaj go nikomu i skontaktuj się z ${brand} jak najszybciej.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} to kod ${brand} do transakcji ${amount} na rzecz ${payee} (wygasa za ${time}). Nie podawaj go nikomu.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Kod ${brand} do płatności w kwocie ${amount} na rzecz ${payee} to: ${code}. Powtarzam: ${code}. Kod wygaśnie za ${time}. Jeśli nie rozpoznajesz tej płatności, rozłącz się.`,
  },
};
