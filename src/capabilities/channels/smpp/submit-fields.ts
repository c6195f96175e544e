import type { PduFields } from "./smpp-pdu.ts";

/** The kinds of number of an address: "type of number" and "numbering plan indicator" (SMPP 3.4, §5.2.5 and §5.2.6). */
export interface AddressKind {
  readonly ton: number;
  readonly npi: number;
}

const international: AddressKind = { ton: 1, npi: 1 };
const shortCode: AddressKind = { ton: 3, npi: 0 };
const alphanumeric: AddressKind = { ton: 5, npi: 0 };
const unknown: AddressKind = { ton: 0, npi: 0 };

/** The kind of a sender: `+6591234567`, the short code `72404`, or a name. None: the SMSC has a sender for the account. */
function kindOfSender(sender: string): AddressKind {
  if (sender === "") {
    return unknown;
  }
  return /^\d+$/.test(sender) ? shortCode : /^\+\d+$/.test(sender) ? international : alphanumeric;
}

export interface SubmitOptions {
  readonly serviceType: string;
  /** What the SMSC wants instead of the kind that a sender has by itself. */
  readonly senderKind: Partial<AddressKind>;
  /** Whether the SMSC is to report what becomes of the message. */
  readonly wantsReceipt: boolean;
}

/**
 * The parameters of `submit_sm` for each part of a message. Only the last part is reported: a phone shows the message when it has them all,
 * and the message has one state.
 */
export function submitFields(
  parts: readonly PduFields[],
  addresses: { readonly sender: string; readonly recipient: string },
  validitySeconds: number,
  options: SubmitOptions,
): PduFields[] {
  const { sender, recipient } = addresses;
  const { ton, npi } = { ...kindOfSender(sender), ...options.senderKind };
  return parts.map((part, index) => ({
    service_type: options.serviceType,
    source_addr_ton: ton,
    source_addr_npi: npi,
    source_addr: sender.replace(/^\+/, ""),
    dest_addr_ton: international.ton,
    dest_addr_npi: international.npi,
    destination_addr: recipient.replace(/^\+/, ""),
    validity_period: validityPeriod(validitySeconds),
    registered_delivery: options.wantsReceipt && index === parts.length - 1 ? 1 : 0,
    ...part,
  }));
}

/**
 * A relative time (§7.1.1.2), so that the clocks of server and SMSC need not agree. Whole minutes, rounded up: SMSCs that count in minutes
 * refuse what is less than one.
 */
function validityPeriod(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60)];
  return `0000${twoDigits(days)}${twoDigits(hours)}${twoDigits(minutes % 60)}00000R`;
}
