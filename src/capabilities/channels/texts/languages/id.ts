import type { MessageTexts } from "../message-texts.ts";

export const id: MessageTexts = {
  language: "id",
  direction: "ltr",
  timeLeft: { lessThanMinute: "kurang dari satu menit", other: "# menit", hour: "1 jam" },
  digits: ["nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"],
  pause: ", ",
  preheader: "Buka pesan ini untuk melihat kode Anda. Jangan bagikan kepada siapa pun.",
  sandbox: "Pesan uji coba: tidak dikirim kepada siapa pun.",
  subject: (brand) => `Kode verifikasi ${brand} Anda`,
  heading: (brand) => `Kode ${brand} Anda`,
  instruction: "Masukkan kode ini untuk mengonfirmasi identitas Anda:",
  expiry: (time) => `Kode ini kedaluwarsa dalam ${time}.`,
  caution: () => "Jangan bagikan kode ini kepada siapa pun. Jika Anda tidak memintanya, abaikan pesan ini.",
  short: ({ brand, code, time }) =>
    `${code} adalah kode verifikasi ${brand} Anda. Kedaluwarsa dalam ${time}. Jangan bagikan kepada siapa pun.`,
  spoken: ({ brand, code, time }) =>
    `Kode verifikasi ${brand} Anda adalah: ${code}. Kami ulangi: ${code}. Kode ini kedaluwarsa dalam ${time}.`,
  reset: {
    subject: (brand) => `Atur kata sandi baru untuk akun ${brand} Anda`,
    heading: "Atur kata sandi baru",
    instruction: (brand, url) =>
      `Kode ini digunakan untuk mengatur kata sandi baru akun ${brand} dengan alamat email ini di ${url}:`,
    caution:
      "Siapa pun yang memiliki kode ini dapat mengambil alih akun. Jangan pernah memberitahukannya kepada siapa pun, dan masukkan kode hanya di tempat Anda sendiri memintanya. Jika Anda tidak memintanya, abaikan email ini: kata sandi Anda tidak akan berubah.",
  },
  approval: {
    subject: (brand) => `Kode ${brand} Anda untuk menyetujui pembayaran`,
    heading: "Persetujuan pembayaran",
    instruction: ({ payee, amount }) =>
      `Masukkan kode ini untuk menyetujui pembayaran sebesar ${amount} kepada ${payee}:`,
    caution: (brand) =>
      `Jika Anda tidak mengenali pembayaran ini, jangan masukkan kode ini, jangan bagikan kepada siapa pun, dan hubungi ${brand} sekarang juga.`,
    short: ({ brand, code, payee, amount, time }) =>
      `${code} adalah kode ${brand} Anda untuk membayar ${amount} kepada ${payee} (kedaluwarsa dalam ${time}). Jangan bagikan kepada siapa pun.`,
    spoken: ({ brand, code, payee, amount, time }) =>
      `Kode ${brand} Anda untuk membayar ${amount} kepada ${payee} adalah: ${code}. Kami ulangi: ${code}. Kode ini kedaluwarsa dalam ${time}. Jika Anda tidak mengenali pembayaran ini, tutup telepon.`,
  },
};
