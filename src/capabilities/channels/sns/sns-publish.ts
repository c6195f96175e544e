import { AwsV4Signer } from "aws4fetch";

export interface SnsAccount {
  /** Of the service in the region, such as `https://sns.eu-west-1.amazonaws.com/`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

export interface SnsMessage {
  /** In E.164 form. */
  readonly recipient: string;
  readonly text: string;
  /** A number of the account in E.164 form, or a sender id. Undefined: the account's default. */
  readonly sender: string | undefined;
}

const formType = "application/x-www-form-urlencoded; charset=utf-8";

/** The request that publishes a text message (Amazon SNS API, `Publish`). */
export function signPublish(account: SnsAccount, message: SnsMessage, now: Date) {
  return signForm(account, publishForm(message), now);
}

/** The request that reads the account's settings of text messages (`GetSMSAttributes`), which costs nothing. */
export function signGetAttributes(account: SnsAccount, now: Date) {
  return signForm(account, new URLSearchParams({ Action: "GetSMSAttributes", Version: "2010-03-31" }), now);
}

/** Signed with Signature Version 4. */
async function signForm(account: SnsAccount, form: URLSearchParams, now: Date) {
  const body = form.toString();
  const { headers } = await new AwsV4Signer({
    method: "POST",
    url: account.endpoint,
    headers: { "Content-Type": formType },
    body,
    service: "sns",
    region: account.region,
    accessKeyId: account.accessKeyId,
    secretAccessKey: account.secretAccessKey,
    ...(account.sessionToken === undefined ? {} : { sessionToken: account.sessionToken }),
    datetime: now.toISOString().replace(/[:-]|\.\d+/g, ""),
  }).sign();
  return { url: account.endpoint, headers: Object.fromEntries(headers), body };
}

function publishForm({ recipient, text, sender }: SnsMessage): URLSearchParams {
  const form = new URLSearchParams({ Action: "Publish", Version: "2010-03-31", PhoneNumber: recipient, Message: text });
  const attributes = [
    // Codes are transactional: SNS then prefers reliable delivery to cheap delivery.
    ["AWS.SNS.SMS.SMSType", "Transactional"],
    ...(sender === undefined
      ? []
      : [[sender.startsWith("+") ? "AWS.MM.SMS.OriginationNumber" : "AWS.SNS.SMS.SenderID", sender]]),
  ];
  for (const [index, [name = "", value = ""]] of attributes.entries()) {
    const entry = `MessageAttributes.entry.${index + 1}`;
    form.append(`${entry}.Name`, name);
    form.append(`${entry}.Value.DataType`, "String");
    form.append(`${entry}.Value.StringValue`, value);
  }
  return form;
}
