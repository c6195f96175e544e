/** What the cases of all SDKs do not cover: the parts of the PHP SDK that only it has. */
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { root } from "../system/main-process.ts";

const run = promisify(execFile);
const hasPhp = spawnSync("php", ["-r", "exit(extension_loaded('curl') ? 0 : 1);"]).status === 0;
const canFork = spawnSync("php", ["-r", "exit(function_exists('pcntl_fork') ? 0 : 1);"]).status === 0;
const hasGuzzle =
  spawnSync("php", ["-r", "exit(stream_resolve_include_path('GuzzleHttp/autoload.php') === false ? 1 : 0);"]).status ===
  0;

/** Runs PHP, and returns the JSON of what it returns. Whatever PHP complains about fails. */
async function php(code: string, environment: Record<string, string> = {}): Promise<unknown> {
  const program = `
    use Byond\\{ByondException, Client, RequestOptions, Webhook};
    use Byond\\Http\\{CurlClient, Psr18Client, Request};
    use Byond\\Test\\RecordingClient;
    set_error_handler(static fn (int $level, string $message) => throw new ErrorException($message));
    require "autoload.php";
    require "test/RecordingClient.php";
    echo json_encode((static function (): mixed { ${code} })(), JSON_THROW_ON_ERROR);`;
  const { stdout } = await run("php", ["-d", "zend.exception_ignore_args=0", "-r", program], {
    cwd: join(root, "sdk/php"),
    env: { PATH: process.env.PATH, ...environment },
  });
  return JSON.parse(stdout);
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** Starts a server, and returns its address. */
async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const eventOfStream = 'id: evt_1\ndata: {"id":"evt_1","type":"verification.started","data":null}\n\n';

describe.skipIf(!hasPhp)("the PHP SDK", () => {
  describe("options", () => {
    test.each<[Record<string, string>, string, string]>([
      [{}, "", "http://127.0.0.1:8080"],
      [{ BYOND_URL: "http://one:1" }, "", "http://one:1"],
      [{ BYOND_URL: "http://one:1", BYOND_BASE_URL: "https://two/byond/" }, "", "https://two/byond"],
      [{ BYOND_BASE_URL: "https://two" }, "baseUrl: 'https://three/api/v1/',", "https://three"],
    ])("with %j and %j the server is at %s", async (environment, options, expected) => {
      const code = `$http = new RecordingClient();
        (new Client(${options} httpClient: $http))->lookup->number(number: '+6591234567');
        return $http->requests[0]->url;`;
      expect(await php(code, environment)).toBe(`${expected}/api/v1/lookup?number=%2B6591234567`);
    });

    test("an access token replaces the key of the environment, and only it names the mode", async () => {
      const code = `$http = new RecordingClient();
        $byond = new Client(httpClient: $http, mode: 'test');
        $byond->auth->me();
        $byond->with(accessToken: 'ey.token')->auth->me();
        $byond->with(accessToken: 'ey.token')->with(apiKey: 'pk_live_1.2')->auth->me();
        return array_map($http->sent(...), ['x-api-key', 'authorization', 'byond-mode']);`;
      expect(await php(code, { BYONDAPI_KEY: "pk_test_0123.secret" })).toEqual([
        ["pk_test_0123.secret", null, "pk_live_1.2"],
        [null, "Bearer ey.token", null],
        [null, "test", null],
      ]);
    });

    test("calls that take no credential get none, and headers of the caller go before all others", async () => {
      const code = `$http = new RecordingClient();
        $byond = new Client('pk_test_0123.secret', headers: ['User-Agent' => 'mine', 'X-Two' => 'client']);
        $byond = $byond->with(httpClient: $http);
        $byond->auth->signIn(email: 'ada@example.com', password: 'x', options: new RequestOptions(headers: ['x-two' => 'call']));
        return array_map($http->sent(...), ['x-api-key', 'user-agent', 'x-two']);`;
      expect(await php(code)).toEqual([[null], ["mine"], ["call"]]);
    });

    test("headers with line breaks and addresses without a scheme are refused", async () => {
      const code = `$refused = [];
        $http = new RecordingClient();
        $attempts = [
          fn () => (new Client(httpClient: $http))->auth->refresh('x', new RequestOptions(idempotencyKey: "a\\r\\nX: y")),
          fn () => new Client(baseUrl: 'byond.example.com'),
          fn () => (new Client(httpClient: $http))->webhooks->delete('..'),
          fn () => (new Client(httpClient: $http))->webhooks->delete(''),
        ];
        foreach ($attempts as $attempt) {
          try { $attempt(); } catch (InvalidArgumentException $error) { $refused[] = $error->getMessage(); }
        }
        return [$refused, count($http->requests)];`;
      expect(await php(code)).toEqual([
        [
          "The header idempotency-key must not have line breaks.",
          "The base URL must begin with http:// or https://.",
          "id is not an id.",
          "id is empty.",
        ],
        0,
      ]);
    });
  });

  test("times, maps and lists are sent as the API takes them", async () => {
    const code = `$http = new RecordingClient();
      $byond = new Client(httpClient: $http);
      $byond->keys->create(name: 'x', scopes: [2 => 'verify'], expiresAt: new DateTimeImmutable('2099-01-01T01:00:00+01:00'));
      $byond->verify->start(channel: 'email', recipient: 'x', metadata: []);
      $byond->verify->list(createdAfter: new DateTime('@0'));
      return [$http->requests[0]->body, $http->requests[1]->body, parse_url($http->requests[2]->url, PHP_URL_QUERY)];`;
    expect(await php(code)).toEqual([
      '{"name":"x","scopes":["verify"],"expires_at":"2099-01-01T00:00:00Z"}',
      '{"channel":"email","recipient":"x","metadata":{}}',
      "created_after=1970-01-01T00%3A00%3A00Z",
    ]);
  });

  test("what only a newer server has is no error, and is in the JSON of a result", async () => {
    const answer = {
      verification_id: "vrf_1",
      status: "paused",
      created_at: "2026-06-15T10:30:00Z",
      metadata: { order_id: "1" },
      new_field: { inner_name: {} },
    };
    const code = `$http = new RecordingClient('${JSON.stringify(answer)}');
      $verification = (new Client(httpClient: $http))->verify->get('vrf_1');
      return [$verification->status, $verification->createdAt->format('U'), $verification->metadata,
        $verification->approvedAt, $verification->deliveries, $verification];`;
    expect(await php(code)).toEqual(["paused", "1781519400", { order_id: "1" }, null, [], answer]);
  });

  test("an event of a type that is not known has its object as it came", async () => {
    const code = `$http = new RecordingClient('{"id":"evt_1","type":"invoice.paid","data":{"amount_due":1}}');
      return (new Client(httpClient: $http))->events->get('evt_1')->data;`;
    expect(await php(code)).toEqual({ amount_due: 1 });
  });

  test("the code of an exception is the HTTP status, and stack traces have no secrets", async () => {
    const code = `try {
        (new Client('pk_test_0.1', baseUrl: $_SERVER['URL']))->auth->signIn(email: 'x', password: 'battery staple');
      } catch (ByondException $error) {
        $texts = [];
        $trace = $error->getTrace();
        array_walk_recursive($trace, static function (mixed $value) use (&$texts): void {
          $texts[] = is_string($value) ? $value : '';
        });
        return [$error->getCode(), $error->errorCode, preg_grep('/battery staple|pk_test_0/', $texts)];
      }`;
    const url = await serve((_, response) => response.writeHead(307, { Location: "http://127.0.0.1:1/" }).end());
    expect(await php(code, { URL: url })).toEqual([307, "invalid_response", []]);
  });

  test.skipIf(!canFork)("calls share a connection, but not with a process that was forked", async () => {
    const connections = new Set<unknown>();
    const url = await serve((request, response) => {
      connections.add(request.socket);
      response.end(JSON.stringify({ valid: true, input: request.url, connections: connections.size }));
    });
    const code = `$byond = new Client('pk_test_0.1', baseUrl: $_SERVER['URL']);
      $counts = [$byond->lookup->number('1'), $byond->lookup->number('2')];
      $child = pcntl_fork();
      if ($child === 0) {
        exit($byond->lookup->number('3')->jsonSerialize()->connections);
      }
      pcntl_waitpid($child, $status);
      $counts[] = $byond->lookup->number('4');
      return [...array_map(static fn ($result): int => $result->jsonSerialize()->connections, $counts), pcntl_wexitstatus($status)];`;
    // The fourth look-up was on the first connection: there are two, as when the child had opened its own.
    expect(await php(code, { URL: url })).toEqual([1, 1, 2, 2]);
    expect(connections.size).toBe(2);
  });

  test("a stream that nobody reads any more closes its connection", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const url = await serve((request, response) => {
      if (request.url === "/api/v1/events/stream") {
        response.writeHead(200, { "Content-Type": "text/event-stream" }).write(eventOfStream);
        response.once("close", resolve);
      } else {
        closed.then(() => response.end('{"valid":true}'));
      }
    });
    // The second call is answered when the connection of the first is closed.
    const code = `$byond = new Client('pk_test_0.1', baseUrl: $_SERVER['URL']);
      $stream = $byond->events->stream();
      foreach ($stream as $event) { break; }
      return [$event->id, $stream->resumeAfter(), $byond->lookup->number('+6591234567')->valid];`;
    expect(await php(code, { URL: url })).toEqual(["evt_1", "evt_1", true]);
  });

  test("a connection that is silent is given up, and so is one that does not open", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/silent") {
        response.writeHead(200, { "Content-Type": "text/event-stream" }).write(eventOfStream);
      }
    });
    const code = `$reasons = [];
      foreach (['/silent', '/hanging'] as $path) {
        try {
          $request = new Request('GET', $_SERVER['URL'] . $path, [], null);
          foreach ((new CurlClient())->open($request, 0.3, 0.2)->chunks as $chunk) { $reasons[] = strlen($chunk); }
        } catch (ByondException $error) {
          $reasons[] = $error->errorCode;
        }
      }
      return $reasons;`;
    expect(await php(code, { URL: url })).toEqual([eventOfStream.length, "connection_failed", "timed_out"]);
  });

  test("dumps have no credential, and clients are not serialized", async () => {
    const code = `$client = new Client(" pk_test_0.1\\n");
      try { serialize($client); } catch (LogicException $error) {}
      return [str_contains(print_r([$client, $client->verify], true), 'pk_test'), $client->isSandbox, $error::class];`;
    expect(await php(code)).toEqual([false, true, "LogicException"]);
  });

  test("events are read whatever the pieces that they arrive in", async () => {
    const code = `$text = ":\\n\\nid: evt_1\\ndata: {\\"a\\":\\"ä\\"}\\n\\nid: evt_2\\n\\nevent: error\\r\\ndata: 1\\r\\ndata: 2\\r\\n\\r\\n";
      $all = [];
      for ($size = 1; $size <= strlen($text); $size++) {
        $events = Byond\\ServerSentEvent::parse(str_split($text, $size));
        $all[json_encode(iterator_to_array($events), JSON_UNESCAPED_UNICODE)] = true;
      }
      return array_map(json_decode(...), array_keys($all));`;
    expect(await php(code)).toEqual([
      [
        { event: null, data: null, id: null },
        { event: null, data: '{"a":"ä"}', id: "evt_1" },
        { event: null, data: null, id: "evt_2" },
        { event: "error", data: "1\n2", id: null },
      ],
    ]);
  });

  test("webhooks are verified with the headers of PHP, of frameworks, and in any case, but not without a secret", async () => {
    const code = `$secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
      $body = '{"id":"evt_1","type":"ping","mode":"test","created_at":"2026-06-15T10:30:00Z","data":null}';
      $headers = Webhook::sign('evt_1', $body, $secret);
      $names = array_keys($headers);
      $upper = array_map(strtoupper(...), $names);
      $ofServer = array_map(static fn (string $name): string => 'HTTP_' . strtr($name, '-', '_'), $upper);
      $lists = array_map(static fn (string $value): array => [$value], array_values($headers));
      $types = [];
      foreach ([$headers, array_combine($upper, $lists), array_combine($ofServer, $headers) + ['argc' => 1]] as $given) {
        $types[] = Webhook::verify($given, $body, $secret)->type;
      }
      foreach ([["$body ", $secret], [$body, ''], [$body, 'whsec_'], [$body, 'whsec_!']] as [$bytes, $key]) {
        try {
          $types[] = Webhook::verify($headers, $bytes, $key)->type;
        } catch (ByondException | InvalidArgumentException $error) {
          $types[] = $error->errorCode ?? $error->getMessage();
        }
      }
      return $types;`;
    expect(await php(code)).toEqual([
      "ping",
      "ping",
      "ping",
      "webhook_signature_invalid",
      "The secret of the webhook is empty.",
      "The secret of the webhook is empty.",
      "The secret of the webhook is not one: whsec_ and base64.",
    ]);
  });

  test.skipIf(!hasGuzzle)("a stream with a PSR-18 client needs one that reads while it arrives", async () => {
    const code = `require 'GuzzleHttp/autoload.php';
      $factory = new GuzzleHttp\\Psr7\\HttpFactory();
      $http = new Psr18Client(new GuzzleHttp\\Client(), $factory, $factory);
      try {
        foreach ((new Client('pk_test_0.1', httpClient: $http))->events->stream() as $event) { return $event; }
      } catch (LogicException $error) {
        return $error->getMessage();
      }`;
    expect(await php(code)).toMatch(/streamingClient/);
  });
});
