import type { MessageTexts } from "../message-texts.ts";

export const tr: MessageTexts = {
  language: "tr",
  direction: "ltr",
  timeLeft: { lessThanMinute: "1 dakikadan kısa bir süre", one: "# dakika", other: "# dakika", hour: "1 saat" },
  digits: ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"],
  pause: ", ",
  preheader: "Kodunuzu görmek için bu mesajı açın. Kodu kimseyle paylaşmayın.",
  sandbox: "Test mesajı: kimseye gönderilmedi.",
  subject: (brand) => `${brand} doğrulama kodunuz`,
  heading: (brand) => `${brand} kodunuz`,
  instruction: "Kimliğinizi doğrulamak için bu kodu girin:",
  expiry: (time) => `Kodun süresi ${time} içinde dolacak.`,
  caution: () => "Bu kodu kimseyle paylaşmayın. Kodu siz istemediyseniz bu mesajı yok sayabilirsiniz.",
  short: ({ brand, code, time }) => `${brand} kodunuz: ${code}. ${time} geçerlidir. Kimseyle paylaşmayın.`,
  spoken: ({ brand, code, time }) =>
    `${brand} doğrulama kodunuz: ${code}. Tekrar ediyorum: ${code}. Kodun süresi ${time} içinde dolacak.`,
  reset: {
    subject: (brand) => `${brand} hesabınız için yeni bir parola belirleyin`,
    heading: "Yeni bir parola belirleyin",
    instruction: (brand, url) =>
      `Bu kod, ${url} adresindeki sunucuda bu e-posta adresine ait ${brand} hesabı için yeni bir parola belirlemenizi sağlar:`,
    caution:
      "Bu koda sahip olan herkes hesabı ele geçirebilir. Kodu asla kimseye söylemeyin ve yalnızca kod talebinde bulunduğunuz yerde girin. Kodu siz istemediyseniz bu e-postayı yok sayın: parolanız değişmez.",
  },
  approval: {
    subject: (brand) => `Ödeme onayı için ${brand} kodunuz`,
    heading: "Ödeme onayı",
    instruction: ({ payee, amount }) => `Alıcı: ${payee}, tutar: ${amount}. Bu ödemeyi onaylamak için kodu girin:`,
    caution: (brand) =>
      `Bu ödeme bilginiz dışındaysa kodu girmeyin, kimseyle paylaşmayın ve hemen ${brand} ile iletişime geçin.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${brand} ödeme kodunuz: ${code}. Alıcı: ${payee}, tutar: ${amount}. ${time} geçerlidir. Kimseyle paylaşmayın.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Alıcı: ${payee}, tutar: ${amount}. Bu ödeme için ${brand} kodunuz: ${code}. Tekrar ediyorum: ${code}. Kodun süresi ${time} içinde dolacak. Bu ödeme bilginiz dışındaysa telefonu kapatın.`,
  },
};
