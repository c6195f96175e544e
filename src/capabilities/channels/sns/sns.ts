import type { SendResult } from "../../../outbox/send-result.ts";
import { readApiUrl } from "../api-url.ts";
import { resultOf } from "../error-meaning.ts";
import { type HttpAnswer, messageIdOf, post, unansweredResult } from "../http/http-post.ts";
import { checkTimeoutMs, judgeAnswer, type ProviderCheck } from "../provider-check.ts";
import type { Provider, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { providerText } from "../provider-text.ts";
import { countSegments } from "../sms-text/segments.ts";
import { readSenders, type Senders, senderFor } from "../sms-text/senders.ts";
import { snsErrors, snsStatusMeaning } from "./sns-errors.ts";
import { type SnsAccount, signGetAttributes, signPublish } from "./sns-publish.ts";

interface SnsOptions extends SnsAccount {
  readonly senders: Senders;
}

/** Amazon SNS, which publishes text messages to numbers. It reports the delivery of single messages nowhere but in CloudWatch's logs. */
export const snsKind: ProviderKind = {
  name: "sns",
  schemes: ["sns"],
  channels: ["sms"],
  facts: {
    dsn: "`sns://ACCESS_KEY_ID:SECRET_ACCESS_KEY@?region=eu-west-1`",
    reports: "no",
    signature: "none: there are no callbacks",
    finalState: "`sent`",
  },
  configure(dsn, { channel }) {
    const { user: accessKeyId, password: secretAccessKey, host, parameters } = dsn;
    if (!accessKeyId || !secretAccessKey || host !== "") {
      throw new TypeError("it must have an access key: sns://ACCESS_KEY_ID:SECRET_ACCESS_KEY@?region=eu-west-1");
    }
    const region = parameters.takeForm("region", /^[a-z]{2}(-[a-z]+)+-\d$/, "a region of AWS, such as eu-west-1");
    if (region === undefined) {
      throw new TypeError("it must have the parameter region, such as ?region=eu-west-1");
    }
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    const apiUrl = readApiUrl(parameters, `https://sns.${region}.${domain}`);
    const senders = readSenders(parameters, channel, { isRequired: false });
    const options = { endpoint: `${apiUrl}/`, region, accessKeyId, secretAccessKey, senders };
    return {
      address: new URL(apiUrl).host,
      check: () => checkSns(options),
      create: (deps) => createSnsProvider(options, deps),
    };
  },
};

/** Credentials that may only publish are refused by the code AuthorizationError: they are right all the same. */
async function checkSns(options: SnsOptions): Promise<ProviderCheck> {
  const request = await signGetAttributes(options, new Date());
  const answer = await post({ ...request, signal: new AbortController().signal, timeoutMs: checkTimeoutMs });
  return answer.kind === "answered" && /<Code>AuthorizationError<\/Code>/.test(answer.text)
    ? { verdict: "ok", found: "AWS knows the credentials; whether they may publish shows with the first message" }
    : judgeAnswer(answer);
}

function createSnsProvider(options: SnsOptions, { name, clock }: ProviderDependencies): Provider {
  return {
    name,
    async send(message, { signal }) {
      const now = clock.now();
      const { recipient } = message;
      const text = providerText(message, now);
      const request = await signPublish(
        options,
        { recipient, text, sender: senderFor(options.senders, recipient) },
        now,
      );
      const result = snsOutcome(await post({ ...request, signal, timeoutMs: 10_000 }));
      return result.kind === "sent" ? { ...result, segments: countSegments(text) } : result;
    },
  };
}

/** Answers are XML of a fixed form, with one message id or one code. */
function snsOutcome(answer: HttpAnswer): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const { status, text, retryAfterMs } = answer;
  const messageId = messageIdOf(/<MessageId>([^<]+)<\/MessageId>/.exec(text)?.[1]);
  if (status >= 200 && status < 300 && messageId !== undefined) {
    return { kind: "sent", providerMessageId: messageId };
  }
  const [, code = ""] = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text) ?? [];
  const meaning = Object.hasOwn(snsErrors, code) ? snsErrors[code] : undefined;
  const detail = meaning === undefined ? String(status) : `${status}, ${code}`;
  return resultOf(meaning ?? snsStatusMeaning(status), detail, retryAfterMs);
}
