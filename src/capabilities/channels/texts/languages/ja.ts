import type { MessageTexts } from "../message-texts.ts";

export const ja: MessageTexts = {
  language: "ja",
  direction: "ltr",
  timeLeft: { lessThanMinute: "1分未満", other: "#分", hour: "1時間" },
  digits: ["ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう"],
  pause: "、",
  preheader: "メールを開いてコードをご確認ください。コードは誰にも教えないでください。",
  sandbox: "テストメールです。誰にも送信されていません。",
  subject: (brand) => `【${brand}】確認コード`,
  heading: (brand) => `${brand}の確認コード`,
  instruction: "ご本人確認のため、次のコードを入力してください。",
  expiry: (time) => `コードの有効時間は${time}です。`,
  caution: () => "このコードは誰にも教えないでください。お心当たりがない場合は、このメールを破棄してください。",
  short: ({ brand, code, time }) => `【${brand}】確認コード：${code}（有効時間${time}）。誰にも教えないでください。`,
  spoken: ({ brand, code, time }) =>
    `${brand}の確認コードは、${code}、です。繰り返します。${code}。有効時間は${time}です。`,
  reset: {
    subject: (brand) => `【${brand}】新しいパスワードの設定`,
    heading: "新しいパスワードの設定",
    instruction: (brand, url) =>
      `このコードを使うと、${url} でこのメールアドレスを使用している${brand}のアカウントの新しいパスワードを設定できます。`,
    caution:
      "このコードを知った人は、誰でもアカウントを乗っ取ることができます。決して誰にも教えず、ご自身でコードをリクエストした画面にのみ入力してください。お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。",
  },
  approval: {
    subject: (brand) => `【${brand}】お支払いの確認コード`,
    heading: "お支払いの承認",
    instruction: ({ payee, amount }) => `${payee}への${amount}のお支払いを承認するには、次のコードを入力してください。`,
    caution: (brand) =>
      `このお支払いにお心当たりがない場合は、コードを入力せず、誰にも教えずに、すぐに${brand}までご連絡ください。`,
    short: ({ brand, code, payee, amount, time }) =>
      `【${brand}】${payee}への${amount}のお支払いの確認コード：${code}（有効時間${time}）。誰にも教えないでください。`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `${brand}からのお知らせです。${payee}への${amount}のお支払いの確認コードは、${code}、です。繰り返します。${code}。有効時間は${time}です。お心当たりがない場合は、電話をお切りください。`,
  },
};
