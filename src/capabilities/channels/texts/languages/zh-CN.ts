import type { MessageTexts } from "../message-texts.ts";

export const zhCN: MessageTexts = {
  language: "zh-CN",
  direction: "ltr",
  timeLeft: { lessThanMinute: "不到1分钟", other: "#分钟", hour: "1小时" },
  digits: ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"],
  pause: "，",
  preheader: "打开邮件查看验证码，请勿将验证码透露给任何人。",
  sandbox: "测试邮件：未发送给任何人。",
  subject: (brand) => `【${brand}】您的验证码`,
  heading: (brand) => `${brand}验证码`,
  instruction: "请输入以下验证码，以确认是您本人操作：",
  expiry: (time) => `验证码有效期：${time}。`,
  caution: () => "请勿将验证码透露给任何人。如非本人操作，请忽略此邮件。",
  short: ({ brand, code, time }) => `【${brand}】验证码：${code}，有效期${time}。请勿透露给他人。`,
  spoken: ({ brand, code, time }) => `您的${brand}验证码是：${code}。再重复一遍：${code}。有效期${time}。`,
  reset: {
    subject: (brand) => `【${brand}】设置新密码`,
    heading: "设置新密码",
    instruction: (brand, url) => `此验证码用于为 ${url} 上以此邮箱地址注册的${brand}账号设置新密码：`,
    caution:
      "任何人只要获得此验证码，就能控制该账号。切勿将其透露给任何人，并且只在您本人发起请求的地方输入。如果您没有发起请求，请忽略此邮件，您的密码不会更改。",
  },
  approval: {
    subject: (brand) => `【${brand}】付款确认验证码`,
    heading: "确认付款",
    instruction: ({ payee, amount }) => `请输入以下验证码，以确认向${payee}付款${amount}：`,
    caution: (brand) => `如果这笔付款不是您发起的，请勿输入验证码，也不要将其透露给任何人，并立即与${brand}联系。`,
    short: ({ brand, code, payee, amount, time }) =>
      `【${brand}】验证码：${code}，用于向${payee}付款${amount}，有效期${time}。请勿透露给他人。`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `您正在向${payee}付款${amount}。您的${brand}验证码是：${code}。再重复一遍：${code}。有效期${time}。如果这笔付款不是您发起的，请挂断电话。`,
  },
};
