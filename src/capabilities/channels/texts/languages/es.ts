import type { MessageTexts } from "../message-texts.ts";

export const es: MessageTexts = {
  language: "es",
  direction: "ltr",
  timeLeft: { lessThanMinute: "menos de un minuto", one: "un minuto", other: "# minutos", hour: "una hora" },
  digits: ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
  pause: ", ",
  preheader: "Abra este mensaje para ver su código. No lo comparta con nadie.",
  sandbox: "Mensaje de prueba: no se ha enviado a nadie.",
  subject: (brand) => `Su código de verificación de ${brand}`,
  heading: (brand) => `Su código de ${brand}`,
  instruction: "Introduzca este código para confirmar su identidad:",
  expiry: (time) => `Caduca en ${time}.`,
  caution: () => "No comparta este código con nadie. Si no lo ha solicitado, puede ignorar este mensaje.",
  short: ({ brand, code, time }) => `Su código de ${brand} es ${code}. Caduca en ${time}. No lo comparta.`,
  spoken: ({ brand, code, time }) =>
    `Su código de verificación de ${brand} es: ${code}. Repetimos: ${code}. Caduca en ${time}.`,
  reset: {
    subject: (brand) => `Establezca una contraseña nueva para su cuenta de ${brand}`,
    heading: "Establezca una contraseña nueva",
    instruction: (brand, url) =>
      `Este código sirve para establecer una contraseña nueva para la cuenta de ${brand} asociada a esta dirección de correo en ${url}:`,
    caution:
      "Quien tenga este código puede tomar el control de la cuenta. No se lo diga nunca a nadie e introdúzcalo solo en el sitio en el que usted lo haya solicitado. Si no lo ha solicitado, ignore este correo: su contraseña no cambiará.",
  },
  approval: {
    subject: (brand) => `Su código de ${brand} para autorizar un pago`,
    heading: "Autorización de un pago",
    instruction: ({ payee, amount }) => `Introduzca este código para autorizar el pago de ${amount} a ${payee}:`,
    caution: (brand) =>
      `Si no reconoce este pago, no introduzca el código, no lo comparta con nadie y avise a ${brand} cuanto antes.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} es su código de ${brand} para pagar ${amount} a ${payee} (caduca en ${time}). No lo comparta.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Su código de ${brand} para pagar ${amount} a ${payee} es: ${code}. Repetimos: ${code}. Caduca en ${time}. Si no reconoce este pago, cuelgue.`,
  },
};
