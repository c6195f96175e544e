import type { MessageTexts } from "../message-texts.ts";

export const ko: MessageTexts = {
  language: "ko",
  direction: "ltr",
  timeLeft: { lessThanMinute: "1분 미만", other: "#분", hour: "1시간" },
  digits: ["공", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"],
  pause: ", ",
  preheader: "메일을 열어 인증번호를 확인하세요. 다른 사람에게 알려 주지 마세요.",
  sandbox: "테스트 메일: 아무에게도 발송되지 않았습니다.",
  subject: (brand) => `[${brand}] 인증번호`,
  heading: (brand) => `${brand} 인증번호`,
  instruction: "본인 확인을 위해 다음 인증번호를 입력하세요.",
  expiry: (time) => `인증번호의 유효 시간은 ${time}입니다.`,
  caution: () => "이 인증번호를 다른 사람에게 알려 주지 마세요. 요청하지 않으셨다면 이 메일을 무시하셔도 됩니다.",
  short: ({ brand, code, time }) => `[${brand}] 인증번호: ${code}. 유효 시간 ${time}. 타인에게 알려 주지 마세요.`,
  spoken: ({ brand, code, time }) =>
    `${brand} 인증번호는 ${code}입니다. 다시 한번 말씀드립니다. ${code}. 유효 시간은 ${time}입니다.`,
  reset: {
    subject: (brand) => `[${brand}] 새 비밀번호 설정`,
    heading: "새 비밀번호 설정",
    instruction: (brand, url) =>
      `이 인증번호는 ${url} 서버에서 이 이메일 주소를 사용하는 ${brand} 계정의 새 비밀번호를 설정하는 데 사용됩니다.`,
    caution:
      "이 인증번호를 가진 사람은 누구나 계정을 탈취할 수 있습니다. 절대 다른 사람에게 알려 주지 말고, 직접 요청한 곳에서만 입력하세요. 요청하지 않으셨다면 이 메일을 무시하세요. 비밀번호는 변경되지 않습니다.",
  },
  approval: {
    subject: (brand) => `[${brand}] 결제 승인 인증번호`,
    heading: "결제 승인",
    instruction: ({ payee, amount }) =>
      `결제를 승인하려면 다음 인증번호를 입력하세요. 받는 곳: ${payee}, 금액: ${amount}`,
    caution: (brand) =>
      `모르는 결제라면 인증번호를 입력하거나 다른 사람에게 알려 주지 말고 즉시 ${brand} 측에 문의하세요.`,
    short: ({ brand, code, payee, amount, time }) =>
      `[${brand}] 결제 인증번호: ${code}. 받는 곳: ${payee}, 금액: ${amount}. 유효 시간 ${time}. 타인에게 알려 주지 마세요.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `${brand} 결제 인증번호입니다. 받는 곳: ${payee}, 금액: ${amount}. 인증번호는 ${code}입니다. 다시 한번 말씀드립니다. ${code}. 유효 시간은 ${time}입니다. 모르는 결제라면 전화를 끊으세요.`,
  },
};
