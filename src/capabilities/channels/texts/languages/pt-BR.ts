import type { MessageTexts } from "../message-texts.ts";

export const ptBR: MessageTexts = {
  language: "pt-BR",
  direction: "ltr",
  timeLeft: { lessThanMinute: "menos de um minuto", one: "um minuto", other: "# minutos", hour: "uma hora" },
  digits: ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
  pause: ", ",
  preheader: "Abra esta mensagem para ver seu código. Não o compartilhe com ninguém.",
  sandbox: "Mensagem de teste: não foi enviada a ninguém.",
  subject: (brand) => `Seu código de verificação ${brand}`,
  heading: (brand) => `Seu código ${brand}`,
  instruction: "Digite este código para confirmar sua identidade:",
  expiry: (time) => `O código expira em ${time}.`,
  caution: () => "Não compartilhe este código com ninguém. Se você não o solicitou, ignore esta mensagem.",
  short: ({ brand, code, time }) => `Seu código ${brand} é ${code}. Expira em ${time}. Não compartilhe.`,
  spoken: ({ brand, code, time }) =>
    `Seu código de verificação ${brand} é: ${code}. Repetindo: ${code}. O código expira em ${time}.`,
  reset: {
    subject: (brand) => `Defina uma nova senha para sua conta ${brand}`,
    heading: "Defina uma nova senha",
    instruction: (brand, url) =>
      `Este código serve para definir uma nova senha para a conta ${brand} associada a este endereço de e-mail em ${url}:`,
    caution:
      "Quem tiver este código pode assumir o controle da conta. Nunca o informe a ninguém e digite-o somente onde você fez a solicitação. Se você não o solicitou, ignore este e-mail: sua senha não será alterada.",
  },
  approval: {
    subject: (brand) => `Seu código ${brand} para autorizar um pagamento`,
    heading: "Autorização de pagamento",
    instruction: ({ payee, amount }) => `Digite este código para autorizar o pagamento de ${amount} a ${payee}:`,
    caution: (brand) =>
      `Se você não reconhece este pagamento, não digite o código, não o compartilhe com ninguém e fale com o atendimento ${brand} imediatamente.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} é seu código ${brand} para pagar ${amount} a ${payee} (expira em ${time}). Não compartilhe.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Seu código ${brand} para pagar ${amount} a ${payee} é: ${code}. Repetindo: ${code}. O código expira em ${time}. Se você não reconhece este pagamento, desligue.`,
  },
};
