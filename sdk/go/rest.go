package byond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// restTransport is JSON over HTTP.
type restTransport struct {
	client *http.Client
}

func newRESTTransport(client *http.Client) *restTransport {
	own := *client
	// A redirection would carry the credential elsewhere.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &restTransport{&own}
}

func (t *restTransport) Call(ctx context.Context, attempt *Attempt) (json.RawMessage, error) {
	response, err := t.send(ctx, attempt, "application/json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return readAnswer(response)
}

func (t *restTransport) Stream(ctx context.Context, attempt *Attempt) (Messages, error) {
	response, err := t.send(ctx, attempt, "text/event-stream")
	if err != nil {
		return nil, err
	}
	if isSuccess(response) && strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return newEventMessages(response.Body), nil
	}
	defer response.Body.Close()
	if isSuccess(response) {
		// A page of a proxy, with blank lines, would pass for heartbeats.
		return nil, invalidResponse(response)
	}
	if _, err := readAnswer(response); err != nil {
		return nil, err
	}
	return nil, invalidResponse(response)
}

func (t *restTransport) send(ctx context.Context, attempt *Attempt, accept string) (*http.Response, error) {
	operation, target := attempt.Operation, target(attempt)
	var body []byte
	if operation.ParametersIn == "body" {
		var err error
		if body, err = json.Marshal(attempt.Parameters); err != nil {
			return nil, fmt.Errorf("byond: the parameters of %s: %w", operation.ID, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, operation.Method, attempt.BaseURL+target, bytes.NewReader(body))
	if err != nil || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		// It is not shown: it may have a password.
		return nil, errors.New("byond: the base URL is none that begins with http:// or https://")
	}
	// Without it net/http cannot repeat a request with a body by itself, with a signature that the server has seen.
	request.GetBody = nil
	request.Header.Set("Accept", accept)
	if body == nil {
		request.Body = nil
	} else {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range attempt.Header {
		request.Header[name] = values
	}
	if attempt.SigningKey != "" {
		signature := SignRequest(attempt.SigningKey, operation.Method, target, body, time.Now())
		request.Header.Set("Byond-Signature", signature)
	}
	response, err := t.client.Do(request)
	if urlError := (*url.Error)(nil); errors.As(err, &urlError) {
		// Without the URL, which may name a recipient.
		err = urlError.Err
	}
	if err != nil {
		return nil, NewConnectionError(err)
	}
	return response, nil
}

// target is path and query, as they are sent.
func target(attempt *Attempt) string {
	path := attempt.Operation.Path
	for name, value := range attempt.Path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	if attempt.Operation.ParametersIn != "query" {
		return path
	}
	query := url.Values{}
	for name, value := range attempt.Parameters {
		elements, isList := value.([]any)
		if !isList {
			elements = []any{value}
		}
		for _, element := range elements {
			query.Add(name, fmt.Sprint(element))
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

func isSuccess(response *http.Response) bool {
	return response.StatusCode >= 200 && response.StatusCode < 300
}

// readAnswer returns the JSON of a successful answer, out of its envelope if it has one, and the error of any other.
func readAnswer(response *http.Response) (json.RawMessage, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, NewConnectionError(err)
	}
	if !json.Valid(body) {
		return nil, invalidResponse(response)
	}
	// {"ok":true,"data":…} or {"ok":false,"error":…}, where a client or a proxy asks for it (Byond-Envelope).
	var envelope struct {
		OK    *bool           `json:"ok"`
		Data  json.RawMessage `json:"data"`
		Error json.RawMessage `json:"error"`
	}
	// A body of another form is the result itself.
	isObject := json.Unmarshal(body, &envelope) == nil
	isEnvelope := isObject && envelope.OK != nil && (envelope.Data != nil || envelope.Error != nil)
	if isSuccess(response) && (!isEnvelope || *envelope.OK) {
		if isEnvelope {
			return envelope.Data, nil
		}
		return body, nil
	}
	if failure := ParseError(envelope.Error); failure != nil {
		failure.Status = response.StatusCode
		return nil, failure
	}
	return nil, invalidResponse(response)
}

func invalidResponse(response *http.Response) *Error {
	return &Error{
		Code:       CodeInvalidResponse,
		Message:    fmt.Sprintf("the answer, with status %d, is not one of the API; is the base URL right?", response.StatusCode),
		Status:     response.StatusCode,
		RequestID:  response.Header.Get("X-Request-ID"),
		RetryAfter: retryAfter(response.Header.Get("Retry-After")),
	}
}

// retryAfter reads seconds, or the date when they are over.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseFloat(header, 64); err == nil {
		return durationOf(seconds)
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(time.Until(date), 0)
	}
	return 0
}
