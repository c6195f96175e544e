/** What is used of the package `smpp` 0.5.1, which has no types. */
declare module "smpp" {
  import type { Server, Socket } from "node:net";

  /** A field of a PDU: a mandatory parameter, or an optional one (TLV) by its name in the specification. */
  export type Fields = Readonly<Record<string, string | number | Buffer>>;

  export class PDU {
    /** Throws on octets that are not the PDU that their header announces. */
    constructor(octets: Buffer);
    constructor(
      command: string,
      fields?: Fields & { readonly command_status?: number; readonly sequence_number?: number },
    );
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    isResponse(): boolean;
    response(fields?: Fields & { readonly command_status?: number }): PDU;
    toBuffer(): Buffer;
    [parameter: string]: unknown;
  }

  /** The library's connection: tests are an SMSC with it. */
  export interface Session {
    readonly socket: Socket;
    on(event: "pdu", listener: (pdu: PDU) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "close", listener: () => void): this;
    send(pdu: PDU): boolean;
  }

  interface ParameterType {
    readonly default: string | number | Buffer | null;
  }

  const smpp: {
    readonly PDU: typeof PDU;
    createServer(
      options: { readonly key?: Buffer; readonly cert?: Buffer },
      listener: (session: Session) => void,
    ): Server;
    addCommand(
      name: string,
      definition: { readonly id: number; readonly params: Readonly<Record<string, { readonly type: ParameterType }>> },
    ): void;
    addTLV(name: string, definition: { readonly id: number; readonly type: ParameterType }): void;
    readonly types: Readonly<Record<"int8" | "cstring" | "buffer", ParameterType>> & {
      readonly tlv: Readonly<Record<"buffer", ParameterType>>;
    };
    /** The values of `command_status`, by name. */
    readonly errors: Readonly<Record<string, number>>;
    /** `ASCII` is GSM 03.38, an octet for each septet. */
    readonly encodings: { readonly ASCII: { match(text: string): boolean; encode(text: string): Buffer } };
  };
  export default smpp;
}
