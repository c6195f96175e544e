import smpp, { type Fields, type PDU } from "smpp";

const { cstring, int8, buffer, tlv } = smpp.types;

// The library decodes the text of a message by its `data_coding`, 0 as GSM 03.38: the "_" of a message id in a receipt becomes "§". It
// also throws on a validity period that is no time. These definitions leave the octets as they arrive. Nothing else of the process has
// PDUs.
smpp.addCommand("deliver_sm", {
  id: 0x00000005,
  params: {
    service_type: { type: cstring },
    source_addr_ton: { type: int8 },
    source_addr_npi: { type: int8 },
    source_addr: { type: cstring },
    dest_addr_ton: { type: int8 },
    dest_addr_npi: { type: int8 },
    destination_addr: { type: cstring },
    esm_class: { type: int8 },
    protocol_id: { type: int8 },
    priority_flag: { type: int8 },
    schedule_delivery_time: { type: cstring },
    validity_period: { type: cstring },
    registered_delivery: { type: int8 },
    replace_if_present_flag: { type: int8 },
    data_coding: { type: int8 },
    sm_default_msg_id: { type: int8 },
    short_message: { type: buffer },
  },
});
smpp.addTLV("message_payload", { id: 0x0424, type: tlv.buffer });

/** The parameters of a PDU, by their names in the specification. */
export type PduFields = Fields;

/** A PDU that the SMSC sent. */
export interface ReceivedPdu {
  /** Its name in the specification; `unknown` if it has none. */
  readonly command: string;
  readonly isResponse: boolean;
  readonly status: number;
  readonly sequence: number;
  /** Undefined if the body is not what the header announces. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

const headerBytes = 16;
/** The largest receipt is a few hundred octets. Messages that people send to the sender have up to 64 KiB by the specification, and a few hundred in fact. */
const maxPduBytes = 16 * 1024;

/** The octets are not PDUs, or one is too long. Nothing after them can be read. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

/** Cuts what a connection receives into PDUs (SMPP 3.4, §3.2). */
export class PduReader {
  #received: Buffer = Buffer.alloc(0);

  /** The PDUs that are complete with `chunk`. Throws `FramingError`. */
  *read(chunk: Buffer): Generator<Buffer> {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE(0);
      if (length < headerBytes || length > maxPduBytes) {
        throw new FramingError(`a PDU of ${length} octets`);
      }
      if (this.#received.length < length) {
        return;
      }
      const octets = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      yield octets;
    }
  }
}

/** Reads a whole PDU, 16 octets or more. Never throws. */
export function readPdu(octets: Buffer): ReceivedPdu {
  const header = {
    isResponse: (octets.readUInt32BE(4) & 0x80000000) !== 0,
    status: octets.readUInt32BE(8),
    sequence: octets.readUInt32BE(12),
  };
  try {
    const pdu = new smpp.PDU(octets);
    return { ...header, command: pdu.command, fields: pdu };
  } catch {
    return { ...header, command: commandOf(octets), fields: undefined };
  }
}

/** The name of a command from its header alone. */
function commandOf(octets: Buffer): string {
  const header = Buffer.from(octets.subarray(0, headerBytes));
  header.writeUInt32BE(headerBytes, 0);
  return new smpp.PDU(header).command;
}

/** The octets of a request. */
export function requestOctets(command: string, sequence: number, fields: PduFields = {}): Buffer {
  return new smpp.PDU(command, { ...fields, sequence_number: sequence }).toBuffer();
}

/** The octets of the response to a request; of `generic_nack` to one that is unknown. */
export function responseOctets(request: Pick<ReceivedPdu, "command" | "sequence">, status: number): Buffer {
  const command = request.command === "unknown" ? "generic_nack" : `${request.command}_resp`;
  const pdu: PDU = new smpp.PDU(command, { command_status: status, sequence_number: request.sequence });
  return pdu.toBuffer();
}
