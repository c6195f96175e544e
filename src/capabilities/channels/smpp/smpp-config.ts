import type { Dsn, DsnParameters } from "../dsn.ts";
import type { IdForm, IdForms } from "./delivery-receipt.ts";
import type { TextEncoding } from "./short-message.ts";
import type { BindMode } from "./smpp-connection.ts";
import type { AddressKind } from "./submit-fields.ts";

/** What a DSN says of an SMSC. */
export interface SmppConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly verifyCertificate: boolean } | undefined;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  readonly serviceType: string;
  readonly modes: readonly BindMode[];
  readonly window: number;
  readonly enquireLinkMs: number;
  readonly encoding: TextEncoding;
  readonly idForms: IdForms;
  readonly senderKind: Partial<AddressKind>;
}

/** The modes of what `bind` can be. A receiver gets the receipts of a transmitter. */
const modesOfBind = {
  transceiver: ["transceiver"],
  transmitter: ["transmitter"],
  pair: ["transmitter", "receiver"],
} as const satisfies Record<string, readonly BindMode[]>;

/** Reads the DSN of an SMSC, except for its senders. Throws a `TypeError` that holds no secret. */
export function readSmppConfig(dsn: Dsn): SmppConfig {
  const { scheme, user, password, host, path, parameters } = dsn;
  const isSecure = scheme === "smpps";
  if (user === undefined || user === "" || host === "" || !/^\/?$/.test(path)) {
    throw new TypeError(`it must be ${scheme}://system_id:password@host:port, without a path`);
  }
  const bind = takeWord(parameters, "bind", ["transceiver", "transmitter", "pair"]) ?? "transceiver";
  const binds = parameters.takeInteger("binds", { min: 1, max: 20 }) ?? 1;
  const verifies = takeWord(parameters, "tls.rejectUnauthorized", ["true", "false"]);
  if (verifies !== undefined && !isSecure) {
    throw new TypeError("its parameter tls.rejectUnauthorized needs smpps://");
  }
  return {
    host,
    port: dsn.port ?? (isSecure ? 3550 : 2775),
    tls: isSecure ? { verifyCertificate: verifies !== "false" } : undefined,
    systemId: asciiOf(user, 15, "system_id"),
    password: asciiOf(password ?? "", 64, "password"),
    systemType: parameters.takeForm("system_type", /^[\x21-\x7e]{1,12}$/, "1 to 12 ASCII characters") ?? "",
    serviceType: parameters.takeForm("service_type", /^[\x21-\x7e]{1,5}$/, "1 to 5 ASCII characters") ?? "",
    modes: Array.from({ length: binds }, () => modesOfBind[bind]).flat(),
    window: parameters.takeInteger("window", { min: 1, max: 1_000 }) ?? 10,
    enquireLinkMs: (parameters.takeInteger("enquire_link", { min: 1, max: 3_600 }) ?? 30) * 1_000,
    encoding: {
      defaultAlphabet: takeWord(parameters, "alphabet", ["gsm7", "latin1"]) ?? "gsm7",
      longMessages: takeWord(parameters, "long", ["udh", "payload"]) ?? "udh",
    },
    idForms: { submitted: takeIdForm(parameters, "submit_ids"), receipt: takeIdForm(parameters, "receipt_ids") },
    senderKind: {
      ...kindOf("ton", parameters.takeInteger("source_ton", { min: 0, max: 6 })),
      ...kindOf("npi", parameters.takeInteger("source_npi", { min: 0, max: 18 })),
    },
  };
}

function takeWord<Word extends string>(
  parameters: DsnParameters,
  name: string,
  words: readonly [Word, ...Word[]],
): Word | undefined {
  const value = parameters.take(name);
  const word = words.find((each) => each === value);
  if (value !== undefined && word === undefined) {
    throw new TypeError(`its parameter ${name} must be ${words.join(" or ")}`);
  }
  return word;
}

function takeIdForm(parameters: DsnParameters, name: string): IdForm {
  return takeWord(parameters, name, ["text", "hex", "decimal"]) ?? "text";
}

function kindOf<Part extends keyof AddressKind>(part: Part, value: number | undefined): Partial<AddressKind> {
  return value === undefined ? {} : { [part]: value };
}

/** The specification allows passwords of 8 characters; there are SMSCs that have longer ones. */
function asciiOf(value: string, maxLength: number, name: string): string {
  if (value.length > maxLength || !/^[\x20-\x7e]*$/.test(value)) {
    throw new TypeError(`its ${name} must be at most ${maxLength} ASCII characters`);
  }
  return value;
}
