import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, type Message } from "@bufbuild/protobuf";
import { createContextValues, type StreamRequest, type StreamResponse, type UnaryRequest } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { LookupNumberRequestSchema, LookupNumberResponseSchema, LookupService } from "../../gen/byond/v1/lookup_pb.ts";
import { Health, HealthCheckResponseSchema } from "../../gen/grpc/health/v1/health_pb.ts";
import { createInFlightInterceptor, exemptFromRevocation, withAnswer } from "../../src/access/abort-on-revocation.ts";
import { systemClock } from "../../src/clock.ts";
import { AppliedRevocations, type RevocationBasis } from "../../src/revocation/applied-revocations.ts";
import { InFlightCalls } from "../../src/revocation/in-flight-calls.ts";
import { captureLog } from "../support/log-capture.ts";

const method = LookupService.method.lookupNumber;
const revoked = new Error("revoked");

function unaryRequest(): UnaryRequest {
  return {
    stream: false,
    service: LookupService,
    method,
    message: create(LookupNumberRequestSchema),
    requestMethod: "POST",
    url: "http://localhost/",
    signal: new AbortController().signal,
    header: new Headers(),
    contextValues: createContextValues(),
  };
}

const response = {
  stream: false,
  service: LookupService,
  method,
  header: new Headers(),
  trailer: new Headers(),
  message: create(LookupNumberResponseSchema),
} as const;

/** One credential, `key:1`. `readmissions` are what letting in again comes to, in turn; the last one stays. */
function setUp(readmissions: readonly (() => Promise<void>)[]) {
  const applied = new AppliedRevocations();
  const inFlight = new InFlightCalls(applied, captureLog().logger);
  const basis = (): RevocationBasis => ({ subjects: ["key:1"], asOf: applied.position });
  let asked = 0;
  let nowMs = 0;
  const interceptor = createInFlightInterceptor({
    clock: { monotonicMs: () => nowMs },
    revocation: { track: (of, abort) => inFlight.track(of, abort), catchUp: async () => undefined },
    basisOf: basis,
    async reauthorize() {
      const readmission = readmissions[Math.min(asked, readmissions.length - 1)];
      asked += 1;
      const fresh = basis();
      await readmission?.();
      return fresh;
    },
  });
  let sequence = 0;
  return {
    interceptor,
    revoke: () => applied.apply([{ sequence: ++sequence, subject: "key:1" }]),
    asked: () => asked,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const refuse = () => Promise.reject(revoked);
const letIn = () => Promise.resolve();

describe("a unary call", () => {
  test("is answered without being authorized again while nothing is revoked", async () => {
    const { interceptor, asked } = setUp([refuse]);
    expect(await interceptor(async () => response)(unaryRequest())).toBe(response);
    expect(asked()).toBe(0);
  });

  test("ends at once when its credential is refused, and its signal aborts", async () => {
    const { interceptor, revoke } = setUp([refuse]);
    let signal: AbortSignal | undefined;
    const call = interceptor((request) => {
      signal = request.signal;
      return new Promise(() => undefined);
    })(unaryRequest());
    await Promise.resolve();
    revoke();
    await expect(call).rejects.toBe(revoked);
    expect(signal?.aborted).toBe(true);
  });

  test("is not answered until it is decided whether it may go on", async () => {
    const decision = Promise.withResolvers<void>();
    const { interceptor, revoke } = setUp([() => decision.promise]);
    const done = Promise.withResolvers<typeof response>();
    let answered = false;
    const call = interceptor(() => done.promise)(unaryRequest()).finally(() => {
      answered = true;
    });
    await Promise.resolve();
    revoke();
    done.resolve(response);
    await new Promise(setImmediate);
    expect(answered).toBe(false);
    decision.reject(revoked);
    await expect(call).rejects.toBe(revoked);
  });

  test("is answered if it is admitted again, each time", async () => {
    const { interceptor, revoke, asked } = setUp([letIn]);
    const done = Promise.withResolvers<typeof response>();
    const call = interceptor(() => done.promise)(unaryRequest());
    for (let round = 1; round <= 3; round += 1) {
      await new Promise(setImmediate);
      revoke();
      await new Promise(setImmediate);
      expect(asked()).toBe(round);
    }
    done.resolve(response);
    expect(await call).toBe(response);
  });

  test("does not start if its credential was revoked while its body was read", async () => {
    const applied = new AppliedRevocations();
    const inFlight = new InFlightCalls(applied, captureLog().logger);
    const basis = { subjects: ["key:1"], asOf: applied.position };
    applied.apply([{ sequence: 1, subject: "key:1" }]);
    const interceptor = createInFlightInterceptor({
      clock: systemClock,
      revocation: { track: (of, abort) => inFlight.track(of, abort), catchUp: async () => undefined },
      basisOf: () => basis,
      reauthorize: () => Promise.reject(revoked),
    });
    let isBegun = false;
    const call = interceptor(async () => {
      isBegun = true;
      return response;
    });
    await expect(call(unaryRequest())).rejects.toBe(revoked);
    expect(isBegun).toBe(false);
  });

  test("does nothing that only an answered call does once it was refused", async () => {
    const { interceptor, revoke } = setUp([refuse]);
    const begun = Promise.withResolvers<void>();
    let isDone = false;
    let late: Promise<unknown> | undefined;
    const call = interceptor((request) => {
      late = begun.promise.then(() =>
        withAnswer({ values: request.contextValues }, () => {
          isDone = true;
        }),
      );
      return late.then(() => response);
    })(unaryRequest());
    await Promise.resolve();
    revoke();
    await expect(call).rejects.toBe(revoked);
    begun.resolve();
    await expect(late).rejects.toBe(revoked);
    expect(isDone).toBe(false);
  });

  test("waits until it is decided whether it may go on, and then does what only an answered call does", async () => {
    const decision = Promise.withResolvers<void>();
    const { interceptor, revoke } = setUp([() => decision.promise]);
    let isDone = false;
    const call = interceptor(async (request) => {
      revoke();
      return withAnswer({ values: request.contextValues }, () => {
        isDone = true;
        return response;
      });
    })(unaryRequest());
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    decision.resolve();
    expect(await call).toBe(response);
    expect(isDone).toBe(true);
  });

  test("is answered once it has done that, although its credential is refused meanwhile", async () => {
    const { interceptor, revoke, asked } = setUp([refuse]);
    const done = Promise.withResolvers<void>();
    const call = interceptor(async (request) => {
      await withAnswer({ values: request.contextValues }, () => done.promise);
      revoke();
      await new Promise(setImmediate);
      return response;
    })(unaryRequest());
    await new Promise(setImmediate);
    revoke();
    await new Promise(setImmediate);
    expect(asked()).toBe(1);
    done.resolve();
    expect(await call).toBe(response);
  });

  test("is refused if it could not do that, and its credential was refused meanwhile", async () => {
    const { interceptor, revoke } = setUp([refuse]);
    const done = Promise.withResolvers<never>();
    const call = interceptor((request) =>
      Promise.resolve(withAnswer({ values: request.contextValues }, () => done.promise)),
    )(unaryRequest());
    await Promise.resolve();
    revoke();
    await new Promise(setImmediate);
    done.reject(new Error("the charge failed"));
    await expect(call).rejects.toBe(revoked);
  });

  test("is answered although it revokes its own credential", async () => {
    const { interceptor, revoke, asked } = setUp([refuse]);
    const call = interceptor(async ({ contextValues }) => {
      exemptFromRevocation({ values: contextValues });
      revoke();
      return response;
    });
    expect(await call(unaryRequest())).toBe(response);
    expect(asked()).toBe(0);
  });
});

describe("a streaming call", () => {
  const watch = Health.method.watch;

  function streamRequest(signal: AbortSignal): StreamRequest {
    const { contextValues, header, requestMethod, url } = unaryRequest();
    const request = { contextValues, header, requestMethod, url, signal, service: Health };
    return { ...request, stream: true, method: watch, message: nothing() };
  }

  async function* nothing(): AsyncIterable<Message> {}

  function streamResponse(message: AsyncIterable<Message>): StreamResponse {
    const { header, trailer } = response;
    return { stream: true, service: Health, method: watch, header, trailer, message };
  }

  test("ends when its credential is refused", async () => {
    const { interceptor, revoke } = setUp([refuse]);
    const messages = (async function* () {
      yield create(HealthCheckResponseSchema);
      await new Promise(() => undefined);
    })();
    const answer = await interceptor(async () => streamResponse(messages))(streamRequest(new AbortController().signal));
    const received: Message[] = [];
    const reading = (async () => {
      if (answer.stream) {
        for await (const message of answer.message) {
          received.push(message);
          revoke();
        }
      }
    })();
    await expect(reading).rejects.toBe(revoked);
    expect(received).toHaveLength(1);
  });

  test("is admitted again with the first message after ten seconds, and ends if its credential has expired", async () => {
    const { interceptor, advance, asked } = setUp([letIn, refuse]);
    let isEnded = false;
    const messages = (async function* () {
      try {
        for (;;) yield create(HealthCheckResponseSchema);
      } finally {
        isEnded = true;
      }
    })();
    const answer = await interceptor(async () => streamResponse(messages))(streamRequest(new AbortController().signal));
    const iterator = answer.stream ? answer.message[Symbol.asyncIterator]() : undefined;
    const admissions = [];
    for (const ms of [0, 9_999, 1, 0, 9_999]) {
      advance(ms);
      expect((await iterator?.next())?.done).toBe(false);
      admissions.push(asked());
    }
    expect(admissions).toEqual([0, 0, 1, 1, 1]);
    advance(1);
    await expect(iterator?.next()).rejects.toBe(revoked);
    expect(isEnded).toBe(true);
  });

  test("is ended by a revocation after it was admitted again", async () => {
    const { interceptor, advance, revoke } = setUp([letIn, refuse]);
    const messages = (async function* () {
      yield create(HealthCheckResponseSchema);
      yield create(HealthCheckResponseSchema);
      await new Promise(() => undefined);
    })();
    const answer = await interceptor(async () => streamResponse(messages))(streamRequest(new AbortController().signal));
    const iterator = answer.stream ? answer.message[Symbol.asyncIterator]() : undefined;
    await iterator?.next();
    advance(10_000);
    await iterator?.next();
    const next = iterator?.next();
    revoke();
    await expect(next).rejects.toBe(revoked);
  });

  test("gives the message that is due, although its credential is refused, and ends with the next one", async () => {
    const { interceptor, revoke, advance } = setUp([refuse]);
    const answer = await interceptor(async ({ contextValues: values }) =>
      streamResponse(
        (async function* () {
          for (let sent = 0; sent < 2; sent += 1) {
            const message = await withAnswer({ values }, async () => create(HealthCheckResponseSchema));
            revoke();
            advance(10_000);
            await new Promise(setImmediate);
            yield message;
          }
        })(),
      ),
    )(streamRequest(new AbortController().signal));
    const iterator = answer.stream ? answer.message[Symbol.asyncIterator]() : undefined;
    expect((await iterator?.next())?.done).toBe(false);
    await expect(iterator?.next()).rejects.toBe(revoked);
  });

  test("that fails while it is being decided whether it may go on ends with the refusal", async () => {
    const decision = Promise.withResolvers<void>();
    const failure = Promise.withResolvers<never>();
    const { interceptor, revoke } = setUp([() => decision.promise]);
    const messages = (async function* () {
      yield await failure.promise;
    })();
    const answer = await interceptor(async () => streamResponse(messages))(streamRequest(new AbortController().signal));
    let isOver = false;
    const reading = (async () => {
      for await (const _ of answer.stream ? answer.message : []);
    })().finally(() => {
      isOver = true;
    });
    await new Promise(setImmediate);
    revoke();
    failure.reject(new Error("the messages failed"));
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    decision.reject(revoked);
    await expect(reading).rejects.toBe(revoked);
  });

  test("that nobody reads is not tracked after the call is over", async () => {
    const { interceptor, revoke, asked } = setUp([refuse]);
    const over = new AbortController();
    await interceptor(async () => streamResponse(nothing()))(streamRequest(over.signal));
    over.abort();
    revoke();
    expect(asked()).toBe(0);
  });

  test("keeps nothing of the messages that were sent, however long it lasts", async () => {
    const count = 20_000;
    const { interceptor } = setUp([letIn]);
    const message = create(HealthCheckResponseSchema);
    const messages = (async function* () {
      for (let sent = 0; sent < count; sent += 1) yield message;
    })();
    const answer = await interceptor(async () => streamResponse(messages))(streamRequest(new AbortController().signal));
    const before = heapBytes();
    let [received, atEnd] = [0, 0];
    for await (const _ of answer.stream ? answer.message : []) {
      received += 1;
      if (received === count) atEnd = heapBytes();
    }
    // A race with a promise that lives as long as the call would keep 384 bytes a message.
    expect((atEnd - before) / count).toBeLessThan(100);
  });
});

/** The heap after a full collection. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}
