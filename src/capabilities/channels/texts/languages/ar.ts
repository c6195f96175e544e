import type { MessageTexts } from "../message-texts.ts";

export const ar: MessageTexts = {
  language: "ar",
  direction: "rtl",
  timeLeft: {
    lessThanMinute: "أقل من دقيقة",
    one: "دقيقة واحدة",
    two: "دقيقتين",
    few: "# دقائق",
    many: "# دقيقة",
    other: "# دقيقة",
    hour: "ساعة واحدة",
  },
  digits: ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"],
  pause: "، ",
  preheader: "افتح هذه الرسالة لعرض الرمز، ولا تشاركه مع أي شخص.",
  sandbox: "رسالة تجريبية: لم تُرسَل إلى أي شخص.",
  subject: (brand) => `رمز التحقق من ${brand}`,
  heading: (brand) => `رمزك من ${brand}`,
  instruction: "أدخِل هذا الرمز لتأكيد هويتك:",
  expiry: (time) => `الرمز صالح لمدة ${time}.`,
  caution: () => "لا تشارك هذا الرمز مع أي شخص. إذا لم تطلبه، فتجاهل هذه الرسالة.",
  short: ({ brand, code, time }) => `رمز التحقق من ${brand}: ${code}. صالح لمدة ${time}. لا تشاركه مع أحد.`,
  spoken: ({ brand, code, time }) => `رمز التحقق من ${brand} هو: ${code}. أكرر: ${code}. الرمز صالح لمدة ${time}.`,
  reset: {
    subject: (brand) => `تعيين كلمة مرور جديدة لحسابك في ${brand}`,
    heading: "تعيين كلمة مرور جديدة",
    instruction: (brand, url) =>
      `يتيح لك هذا الرمز تعيين كلمة مرور جديدة لحساب ${brand} المرتبط بعنوان البريد الإلكتروني هذا على ${url}:`,
    caution:
      "مَن يملك هذا الرمز يمكنه الاستيلاء على الحساب. لا تخبر به أحدًا أبدًا، ولا تُدخله إلا حيث طلبته بنفسك. إذا لم تطلبه، فتجاهل هذه الرسالة: ستبقى كلمة مرورك كما هي.",
  },
  approval: {
    subject: (brand) => `رمز من ${brand} للموافقة على عملية دفع`,
    heading: "الموافقة على عملية دفع",
    instruction: ({ payee, amount }) => `أدخِل هذا الرمز للموافقة على دفع ${amount} إلى ${payee}:`,
    caution: (brand) =>
      `إذا لم تتعرّف على عملية الدفع هذه، فلا تُدخل الرمز ولا تشاركه مع أي شخص، وتواصل مع ${brand} فورًا.`,
    short: ({ brand, code, payee, amount, time }) =>
      `رمز من ${brand} لدفع ${amount} إلى ${payee}: ${code}. صالح لمدة ${time}. لا تشاركه مع أحد.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `رمز ${brand} لدفع ${amount} إلى ${payee} هو: ${code}. أكرر: ${code}. الرمز صالح لمدة ${time}. إذا لم تتعرّف على عملية الدفع هذه، فأغلق الخط.`,
  },
};
