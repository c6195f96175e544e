import type { MessageTexts } from "../message-texts.ts";

export const fr: MessageTexts = {
  language: "fr",
  direction: "ltr",
  timeLeft: { lessThanMinute: "moins d’une minute", one: "une minute", other: "# minutes", hour: "une heure" },
  digits: ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
  pause: ", ",
  preheader: "Ouvrez ce message pour voir votre code. Ne le communiquez à personne.",
  sandbox: "Message de test\u00a0: il n’a été envoyé à personne.",
  subject: (brand) => `Votre code de vérification ${brand}`,
  heading: (brand) => `Votre code ${brand}`,
  instruction: "Saisissez ce code pour confirmer votre identité\u00a0:",
  expiry: (time) => `Il expire dans ${time}.`,
  caution: () => "Ne communiquez ce code à personne. Si vous ne l’avez pas demandé, ignorez ce message.",
  short: ({ brand, code, time }) =>
    `Votre code de vérification ${brand} est ${code}. Il expire dans ${time}. Ne le communiquez à personne.`,
  spoken: ({ brand, code, time }) =>
    `Votre code de vérification ${brand} est\u00a0: ${code}. Je répète\u00a0: ${code}. Il expire dans ${time}.`,
  reset: {
    subject: (brand) => `Choisissez un nouveau mot de passe pour votre compte ${brand}`,
    heading: "Choisissez un nouveau mot de passe",
    instruction: (brand, url) =>
      `Ce code permet de choisir un nouveau mot de passe pour le compte ${brand} associé à cette adresse e-mail sur ${url}\u00a0:`,
    caution:
      "Toute personne qui dispose de ce code peut prendre le contrôle du compte. Ne le communiquez jamais à personne et ne le saisissez que là où vous l’avez vous-même demandé. Si vous ne l’avez pas demandé, ignorez cet e-mail\u00a0: votre mot de passe reste inchangé.",
  },
  approval: {
    subject: (brand) => `Votre code ${brand} pour autoriser un paiement`,
    heading: "Autorisation de paiement",
    instruction: ({ payee, amount }) => `Saisissez ce code pour autoriser le paiement de ${amount} à ${payee}\u00a0:`,
    caution: (brand) =>
      `Si vous ne reconnaissez pas ce paiement, ne saisissez pas ce code, ne le communiquez à personne et contactez ${brand} sans attendre.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} est votre code ${brand} pour payer ${amount} à ${payee} (expire dans ${time}). Ne le communiquez à personne.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Votre code ${brand} pour payer ${amount} à ${payee} est\u00a0: ${code}. Je répète\u00a0: ${code}. Il expire dans ${time}. Si vous ne reconnaissez pas ce paiement, raccrochez.`,
  },
};
