import type { MessageTexts } from "../message-texts.ts";

export const he: MessageTexts = {
  language: "he",
  direction: "rtl",
  timeLeft: { lessThanMinute: "פחות מדקה", one: "דקה אחת", two: "שתי דקות", other: "# דקות", hour: "שעה" },
  digits: ["אפס", "אחת", "שתיים", "שלוש", "ארבע", "חמש", "שש", "שבע", "שמונה", "תשע"],
  pause: ", ",
  preheader: "יש לפתוח את ההודעה כדי לראות את הקוד. אין לשתף אותו עם איש.",
  sandbox: "הודעת בדיקה: היא לא נשלחה לאיש.",
  subject: (brand) => `קוד האימות שלך מאת ${brand}`,
  heading: (brand) => `הקוד שלך מאת ${brand}`,
  instruction: "יש להזין את הקוד כדי לאמת את זהותך:",
  expiry: (time) => `תוקף הקוד יפוג בעוד ${time}.`,
  caution: () => "אין לשתף את הקוד עם איש. אם לא ביקשת אותו, אפשר להתעלם מההודעה.",
  short: ({ brand, code, time }) => `קוד האימות מאת ${brand}: ${code}. יפוג בעוד ${time}. אין לשתף אותו.`,
  spoken: ({ brand, code, time }) => `קוד האימות מאת ${brand} הוא: ${code}. שוב: ${code}. תוקפו יפוג בעוד ${time}.`,
  reset: {
    subject: (brand) => `הגדרת סיסמה חדשה לחשבון ${brand}`,
    heading: "הגדרת סיסמה חדשה",
    instruction: (brand, url) => `הקוד מאפשר להגדיר סיסמה חדשה לחשבון ${brand} המשויך לכתובת הדוא״ל הזו בשרת ${url}:`,
    caution:
      "מי שהקוד בידיו יכול להשתלט על החשבון. אין לשתף אותו עם איש בשום מקרה, ויש להזין אותו רק במקום שבו ביקשת אותו. אם לא ביקשת אותו, אפשר להתעלם מההודעה: הסיסמה שלך לא תשתנה.",
  },
  approval: {
    subject: (brand) => `קוד מאת ${brand} לאישור תשלום`,
    heading: "אישור תשלום",
    instruction: ({ payee, amount }) => `יש להזין את הקוד כדי לאשר תשלום של ${amount} לטובת ${payee}:`,
    caution: (brand) => `אם התשלום אינו מוכר לך, אין להזין את הקוד ואין לשתף אותו עם איש, ויש לפנות אל ${brand} מיד.`,
    short: ({ brand, code, payee, amount, time }) =>
      `קוד מאת ${brand} לתשלום של ${amount} לטובת ${payee}: ${code}. יפוג בעוד ${time}. אין לשתף אותו.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `הקוד מאת ${brand} לתשלום של ${amount} לטובת ${payee} הוא: ${code}. שוב: ${code}. תוקפו יפוג בעוד ${time}. אם התשלום אינו מוכר לך, יש לנתק את השיחה.`,
  },
};
