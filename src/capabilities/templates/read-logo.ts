import type { MailLogo } from "../channels/own-texts/message-template.ts";
import { logo as limits } from "./templates.policy.ts";

interface Picture {
  readonly mediaType: MailLogo["mediaType"];
  readonly width: number;
  readonly height: number;
}

/** Reads a logo in base64. Returns its problem if it is anything but a small PNG or JPEG: what it is, its bytes say. */
export function readLogo(content: string): MailLogo | { readonly problem: string } {
  const bytes = Buffer.from(content, "base64");
  if (bytes.toString("base64") !== content) {
    return { problem: "must be base64" };
  }
  if (bytes.length > limits.maxBytes) {
    return { problem: `must be at most ${limits.maxBytes / 1_024} KiB` };
  }
  const picture = readPng(bytes) ?? readJpeg(bytes);
  if (picture === undefined) {
    return { problem: "must be a PNG or a JPEG" };
  }
  const { mediaType, width, height } = picture;
  if (Math.min(width, height) < 1 || Math.max(width, height) > limits.maxPixels) {
    return { problem: `must be at most ${limits.maxPixels} pixels wide and high` };
  }
  return { mediaType, bytes };
}

const pngSignature = Buffer.from("89504e470d0a1a0a", "hex");

/** PNG, third edition, §5: the signature, the chunk with the size first, and the chunk without content last. */
function readPng(bytes: Buffer): Picture | undefined {
  const isPng =
    bytes.length > 45 &&
    bytes.subarray(0, 8).equals(pngSignature) &&
    bytes.toString("latin1", 12, 16) === "IHDR" &&
    bytes.toString("latin1", bytes.length - 8, bytes.length - 4) === "IEND";
  return isPng ? { mediaType: "image/png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) } : undefined;
}

/** ITU-T T.81, annex B: segments with their lengths, up to a frame header, which has the size. */
function readJpeg(bytes: Buffer): Picture | undefined {
  const isJpeg =
    bytes.length > 20 && bytes.readUInt16BE(0) === 0xff_d8 && bytes.readUInt16BE(bytes.length - 2) === 0xff_d9;
  if (!isJpeg) {
    return undefined;
  }
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      return { mediaType: "image/jpeg", width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
  }
  return undefined;
}
