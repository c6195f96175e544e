import type { MessageTexts } from "../message-texts.ts";

export const vi: MessageTexts = {
  language: "vi",
  direction: "ltr",
  timeLeft: { lessThanMinute: "chưa đầy 1 phút", other: "# phút", hour: "1 giờ" },
  digits: ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"],
  pause: ", ",
  preheader: "Mở thư này để xem mã của bạn. Không chia sẻ mã với bất kỳ ai.",
  sandbox: "Thư thử nghiệm: không gửi đến ai.",
  subject: (brand) => `Mã xác minh ${brand} của bạn`,
  heading: (brand) => `Mã ${brand} của bạn`,
  instruction: "Nhập mã này để xác nhận danh tính của bạn:",
  expiry: (time) => `Mã sẽ hết hạn sau ${time}.`,
  caution: () => "Không chia sẻ mã này với bất kỳ ai. Nếu bạn không yêu cầu mã này, hãy bỏ qua thư này.",
  short: ({ brand, code, time }) => `${code} là mã ${brand} của bạn. Hết hạn sau ${time}. Không chia sẻ mã.`,
  spoken: ({ brand, code, time }) =>
    `Mã xác minh ${brand} của bạn là: ${code}. Xin nhắc lại: ${code}. Mã sẽ hết hạn sau ${time}.`,
  reset: {
    subject: (brand) => `Đặt mật khẩu mới cho tài khoản ${brand} của bạn`,
    heading: "Đặt mật khẩu mới",
    instruction: (brand, url) =>
      `Mã này dùng để đặt mật khẩu mới cho tài khoản ${brand} đăng ký bằng địa chỉ email này tại ${url}:`,
    caution:
      "Bất kỳ ai có mã này đều có thể chiếm đoạt tài khoản. Tuyệt đối không cho người khác biết mã và chỉ nhập mã tại nơi chính bạn đã yêu cầu mã. Nếu bạn không yêu cầu mã này, hãy bỏ qua thư này: mật khẩu của bạn sẽ không thay đổi.",
  },
  approval: {
    subject: (brand) => `Mã ${brand} của bạn để xác nhận thanh toán`,
    heading: "Xác nhận thanh toán",
    instruction: ({ payee, amount }) => `Nhập mã này để xác nhận thanh toán ${amount} cho ${payee}:`,
    caution: (brand) =>
      `Nếu bạn không nhận ra khoản thanh toán này, không nhập mã, không chia sẻ mã với bất kỳ ai và hãy liên hệ với ${brand} ngay.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} là mã ${brand} của bạn để thanh toán ${amount} cho ${payee} (hết hạn sau ${time}). Không chia sẻ mã.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Mã ${brand} của bạn để thanh toán ${amount} cho ${payee} là: ${code}. Xin nhắc lại: ${code}. Mã sẽ hết hạn sau ${time}. Nếu bạn không nhận ra khoản thanh toán này, hãy gác máy.`,
  },
};
