import type { MessageTexts } from "../message-texts.ts";

export const zhTW: MessageTexts = {
  language: "zh-TW",
  direction: "ltr",
  timeLeft: { lessThanMinute: "不到1分鐘", other: "#分鐘", hour: "1小時" },
  digits: ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
  pause: "，",
  preheader: "開啟郵件查看驗證碼，請勿將驗證碼透露給任何人。",
  sandbox: "測試郵件：未傳送給任何人。",
  subject: (brand) => `【${brand}】您的驗證碼`,
  heading: (brand) => `${brand}驗證碼`,
  instruction: "請輸入以下驗證碼，以確認是您本人操作：",
  expiry: (time) => `驗證碼有效時間：${time}。`,
  caution: () => "請勿將驗證碼透露給任何人。若非您本人操作，請忽略此郵件。",
  short: ({ brand, code, time }) => `【${brand}】驗證碼：${code}，有效時間${time}。請勿透露給他人。`,
  spoken: ({ brand, code, time }) => `您的${brand}驗證碼是：${code}。再重複一次：${code}。有效時間${time}。`,
  reset: {
    subject: (brand) => `【${brand}】設定新密碼`,
    heading: "設定新密碼",
    instruction: (brand, url) => `此驗證碼用於為 ${url} 上以此電子郵件地址註冊的${brand}帳號設定新密碼：`,
    caution:
      "任何人只要取得此驗證碼，就能控制該帳號。切勿透露給任何人，並且只在您本人提出要求的地方輸入。若您未提出要求，請忽略此郵件，您的密碼不會變更。",
  },
  approval: {
    subject: (brand) => `【${brand}】付款確認驗證碼`,
    heading: "確認付款",
    instruction: ({ payee, amount }) => `請輸入以下驗證碼，以確認付款${amount}給${payee}：`,
    caution: (brand) => `若這筆付款並非您本人操作，請勿輸入驗證碼，也不要透露給任何人，並立即與${brand}聯絡。`,
    short: ({ brand, code, payee, amount, time }) =>
      `【${brand}】驗證碼：${code}，用於付款${amount}給${payee}，有效時間${time}。請勿透露給他人。`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `您正在付款${amount}給${payee}。您的${brand}驗證碼是：${code}。再重複一次：${code}。有效時間${time}。若這筆付款並非您本人操作，請掛斷電話。`,
  },
};
