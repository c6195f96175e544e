package byond

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// caller makes the calls of the services: the parameters' JSON, headers, retries, and the results.
type caller struct {
	config *config
}

func call[Result any](
	ctx context.Context, c *caller, operation *Operation, path []string, params any, options []CallOption,
) (*Result, error) {
	data, err := c.call(ctx, c.attempt(operation, path, params), options)
	if err != nil {
		return nil, err
	}
	return decode[Result](data)
}

func list[Item any](
	ctx context.Context, c *caller, operation *Operation, path []string, params any, options []CallOption,
) (*Page[Item], error) {
	return loadPage[Item](ctx, c, c.attempt(operation, path, params), options)
}

func listAll[Item any](
	ctx context.Context, c *caller, operation *Operation, path []string, params any, options []CallOption,
) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		page, err := list[Item](ctx, c, operation, path, params, options)
		for ; page != nil; page, err = page.Next(ctx) {
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func stream[Result any](
	ctx context.Context, c *caller, operation *Operation, path []string, params any, options []CallOption,
) *Stream[Result] {
	attempt := c.attempt(operation, path, params)
	config := c.configOf(options)
	c.setHeader(attempt, config)
	return &Stream[Result]{ctx: ctx, transport: c.config.transport, attempt: attempt, config: config}
}

// call returns the JSON of the result.
func (c *caller) call(ctx context.Context, attempt *Attempt, options []CallOption) (json.RawMessage, error) {
	if err := checkPath(attempt); err != nil {
		return nil, err
	}
	config := c.configOf(options)
	// Once for all attempts: a repetition must be known as one.
	c.setHeader(attempt, config)
	if err := checkHeader(attempt.Header); err != nil {
		return nil, err
	}
	ctx, cancel := withTimeout(ctx, config.timeout)
	defer cancel()
	var data json.RawMessage
	err := withRetries(ctx, attempt.Operation.IsRepeatable, config.maxRetries, func() (err error) {
		data, err = c.config.transport.Call(ctx, attempt)
		return err
	})
	return data, err
}

func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, timedOut(fmt.Sprintf("the call took longer than %v", timeout)))
}

func (c *caller) configOf(options []CallOption) callConfig {
	config := c.config.call
	config.header = config.header.Clone()
	for _, option := range options {
		option.applyToCall(&config)
	}
	return config
}

func (c *caller) attempt(operation *Operation, path []string, params any) *Attempt {
	values := make(map[string]string, len(path))
	for index, name := range operation.PathParameters {
		values[name] = path[index]
	}
	attempt := &Attempt{
		Operation:  operation,
		BaseURL:    c.config.baseURL,
		Path:       values,
		Parameters: encodeParams(params),
	}
	if c.config.signRequests {
		attempt.SigningKey = c.config.credential()
	}
	return attempt
}

// checkPath refuses ids that would make it another call: that of the list that the element is in, or of what is above it.
func checkPath(attempt *Attempt) error {
	for name, value := range attempt.Path {
		switch value {
		case "":
			return fmt.Errorf("byond: %s is empty", name)
		case ".", "..":
			return fmt.Errorf("byond: %s is not an id", name)
		}
	}
	return nil
}

// checkHeader refuses what net/http would take for a failed connection. It does not tell the value, which may be a secret.
func checkHeader(header http.Header) error {
	for name, values := range header {
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
				return fmt.Errorf("byond: the header %s has a line break, or another character that no header can have", name)
			}
		}
	}
	return nil
}

func (c *caller) setHeader(attempt *Attempt, config callConfig) {
	header := http.Header{}
	header.Set("Byond-Version", APIVersion)
	header.Set("User-Agent", "byond-go/"+Version)
	if attempt.Operation.TakesCredential {
		c.setCredential(header)
	}
	if attempt.Operation.HasSideEffects {
		key := config.idempotencyKey
		if key == "" {
			key = rand.Text()
		}
		header.Set("Idempotency-Key", key)
	}
	for name, values := range config.header {
		header[name] = values
	}
	attempt.Header = header
}

func (c *caller) setCredential(header http.Header) {
	switch {
	case c.config.accessToken != "":
		header.Set("Authorization", "Bearer "+c.config.accessToken)
		if c.config.mode != "" {
			header.Set("Byond-Mode", string(c.config.mode))
		}
	case c.config.apiKey != "":
		header.Set("X-API-Key", c.config.apiKey)
	}
}

func decode[Result any](data json.RawMessage) (*Result, error) {
	result := new(Result)
	if isNull(data) {
		return nil, &Error{Code: CodeInvalidResponse, Message: "there is no result"}
	}
	if err := unmarshal(data, result); err != nil {
		return nil, err
	}
	return result, nil
}

func unmarshal(data json.RawMessage, target any) error {
	if err := json.Unmarshal(data, target); err != nil {
		return &Error{Code: CodeInvalidResponse, Message: fmt.Sprintf("the result is not of its type: %v", err), cause: err}
	}
	return nil
}
