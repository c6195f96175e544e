package byond

import (
	"os"
	"regexp"
	"strings"
)

// Client calls the API of a Byond server. It is safe for concurrent use.
type Client struct {
	Services
	options []ClientOption
	config  *config
}

// New makes a client. Without options, the environment says where the server is and which key is used: BYOND_BASE_URL (or BYOND_URL, as
// the server prints it) and BYONDAPI_KEY.
func New(options ...ClientOption) *Client {
	config := defaultConfig()
	for _, option := range options {
		option.applyToClient(config)
	}
	config.baseURL = serverURL(config.baseURL)
	if config.transport == nil {
		config.transport = newRESTTransport(config.httpClient)
	}
	return &Client{Services: newServices(&caller{config}), options: options, config: config}
}

// With returns a client with the same options but these: for the calls of a signed-in user, or of another key.
//
//	session, err := client.Auth.SignIn(ctx, &byond.AuthSignInParams{Email: email, Password: password})
//	// …
//	keys, err := client.With(byond.WithAccessToken(session.AccessToken)).Keys.List(ctx, nil)
func (c *Client) With(options ...ClientOption) *Client {
	return New(append(append([]ClientOption{}, c.options...), options...)...)
}

// IsSandbox tells whether calls are about the sandbox, by the key or the mode: nothing leaves the server, and codes are zeros
// ([SandboxCode]).
func (c *Client) IsSandbox() bool {
	if c.config.apiKey != "" {
		return IsSandboxKey(c.config.apiKey)
	}
	return c.config.mode == ModeTest
}

var apiPath = regexp.MustCompile(`/+(api/v1/*)?$`)

// serverURL also takes the address of the API itself, as the reference writes it.
func serverURL(baseURL string) string {
	return apiPath.ReplaceAllString(strings.TrimSpace(baseURL), "")
}

func firstVariable(names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(os.Getenv(name)); value != "" {
			return value
		}
	}
	return ""
}
