import type { MessageTexts } from "../message-texts.ts";

export const it: MessageTexts = {
  language: "it",
  direction: "ltr",
  timeLeft: { lessThanMinute: "meno di un minuto", one: "un minuto", other: "# minuti", hour: "un’ora" },
  digits: ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"],
  pause: ", ",
  preheader: "Aprire questo messaggio per vedere il codice. Non condividerlo con nessuno.",
  sandbox: "Messaggio di prova: non è stato inviato a nessuno.",
  subject: (brand) => `Codice di verifica ${brand}`,
  heading: (brand) => `Codice ${brand}`,
  instruction: "Inserire questo codice per confermare la propria identità:",
  expiry: (time) => `Scade tra ${time}.`,
  caution: () => "Non condividere questo codice con nessuno. Chi non lo ha richiesto può ignorare questo messaggio.",
  short: ({ brand, code, time }) =>
    `Il codice di verifica ${brand} è ${code}. Scade tra ${time}. Non condividerlo con nessuno.`,
  spoken: ({ brand, code, time }) =>
    `Il codice di verifica ${brand} è: ${code}. Ripetiamo: ${code}. Scade tra ${time}.`,
  reset: {
    subject: (brand) => `Impostare una nuova password per l’account ${brand}`,
    heading: "Impostare una nuova password",
    instruction: (brand, url) =>
      `Questo codice serve a impostare una nuova password per l’account ${brand} associato a questo indirizzo e-mail su ${url}:`,
    caution:
      "Chiunque abbia questo codice può prendere il controllo dell’account. Non comunicarlo mai a nessuno e inserirlo solo dove lo si è richiesto personalmente. Chi non lo ha richiesto può ignorare questa e-mail: la password resta invariata.",
  },
  approval: {
    subject: (brand) => `Codice ${brand} per autorizzare un pagamento`,
    heading: "Autorizzazione di un pagamento",
    instruction: ({ payee, amount }) =>
      `Inserire questo codice per autorizzare il pagamento di ${amount} a favore di ${payee}:`,
    caution: (brand) =>
      `Se non si riconosce questo pagamento, non inserire il codice, non condividerlo con nessuno e contattare ${brand} immediatamente.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} è il codice ${brand} per pagare ${amount} a ${payee} (scade tra ${time}). Non condividerlo con nessuno.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Il codice ${brand} per il pagamento di ${amount} a favore di ${payee} è: ${code}. Ripetiamo: ${code}. Scade tra ${time}. Se non si riconosce questo pagamento, riagganciare.`,
  },
};
