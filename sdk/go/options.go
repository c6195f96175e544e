package byond

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

// ClientOption is an option of [New] and of [Client.With].
type ClientOption interface {
	applyToClient(*config)
}

// CallOption is an option of one call.
type CallOption interface {
	applyToCall(*callConfig)
}

// Option is an option of a client, for all its calls, or of one call.
type Option interface {
	ClientOption
	CallOption
}

type config struct {
	baseURL      string
	apiKey       string
	accessToken  string
	mode         Mode
	signRequests bool
	httpClient   *http.Client
	transport    Transport
	call         callConfig
}

type callConfig struct {
	timeout        time.Duration
	maxRetries     int
	header         http.Header
	idempotencyKey string
}

func defaultConfig() *config {
	return &config{
		baseURL:    cmp.Or(firstVariable("BYOND_BASE_URL", "BYOND_URL"), "http://127.0.0.1:8080"),
		apiKey:     firstVariable("BYONDAPI_KEY"),
		httpClient: http.DefaultClient,
		call:       callConfig{timeout: 30 * time.Second, maxRetries: 2, header: http.Header{}},
	}
}

// credential is what signs requests: the API key, or the access token.
func (c *config) credential() string {
	return cmp.Or(c.accessToken, c.apiKey)
}

type clientOption func(*config)

func (o clientOption) applyToClient(c *config) { o(c) }

type callOption func(*callConfig)

func (o callOption) applyToCall(c *callConfig) { o(c) }

type option func(*callConfig)

func (o option) applyToClient(c *config)   { o(&c.call) }
func (o option) applyToCall(c *callConfig) { o(c) }

// WithBaseURL says where the server is. Default: the environment variable BYOND_BASE_URL, or BYOND_URL, or http://127.0.0.1:8080.
func WithBaseURL(baseURL string) ClientOption {
	return clientOption(func(c *config) { c.baseURL = baseURL })
}

// WithAPIKey sets the API key, instead of any access token. Default: the environment variable BYONDAPI_KEY.
func WithAPIKey(apiKey string) ClientOption {
	return clientOption(func(c *config) { c.apiKey, c.accessToken = strings.TrimSpace(apiKey), "" })
}

// WithAccessToken sets the access token of a session, instead of any API key, for calls that manage keys, accounts and workspaces.
func WithAccessToken(accessToken string) ClientOption {
	return clientOption(func(c *config) { c.accessToken, c.apiKey = strings.TrimSpace(accessToken), "" })
}

// WithMode says which mode the calls of an access token are about. Default: [ModeLive]. Keys have a mode of their own.
func WithMode(mode Mode) ClientOption {
	return clientOption(func(c *config) { c.mode = mode })
}

// WithSignedRequests signs requests (v2), each attempt anew, for keys that demand it. Not over gRPC.
func WithSignedRequests() ClientOption {
	return clientOption(func(c *config) { c.signRequests = true })
}

// WithHTTPClient sets what sends requests. Default: [http.DefaultClient]. Its redirect policy is not used: the SDK follows no redirection,
// which would carry the credential elsewhere. Its timeout also ends streams.
func WithHTTPClient(client *http.Client) ClientOption {
	return clientOption(func(c *config) { c.httpClient = client })
}

// WithTransport sets how calls get to the server. Default: REST, by the HTTP client. The package byondgrpc has one for gRPC.
func WithTransport(transport Transport) ClientOption {
	return clientOption(func(c *config) { c.transport = transport })
}

// WithTimeout sets the deadline of a call, all attempts and pauses included; of a stream, until it is open. Default: 30 seconds. Zero: only
// that of the context.
func WithTimeout(timeout time.Duration) Option {
	return option(func(c *callConfig) { c.timeout = timeout })
}

// WithMaxRetries sets how often a failed call is repeated at most. Default: 2.
func WithMaxRetries(maxRetries int) Option {
	return option(func(c *callConfig) { c.maxRetries = maxRetries })
}

// WithHeader sets a header of each request.
func WithHeader(name, value string) Option {
	return option(func(c *callConfig) { c.header.Set(name, value) })
}

// WithIdempotencyKey sets the Idempotency-Key of the call. Default: a random one. Use your own to repeat a call after a crash.
func WithIdempotencyKey(key string) CallOption {
	return callOption(func(c *callConfig) { c.idempotencyKey = key })
}
