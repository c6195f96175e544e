package byond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrorCode is the code of an [Error]. Newer servers may have codes that this version does not know.
type ErrorCode string

// Codes of errors that the SDK itself reports.
const (
	// CodeConnectionFailed: the server was not reached, or the connection was lost.
	CodeConnectionFailed ErrorCode = "connection_failed"

	// CodeTimedOut: the deadline of the call passed.
	CodeTimedOut ErrorCode = "timed_out"

	// CodeInvalidResponse: what answered is not the API, but perhaps a proxy in front of it.
	CodeInvalidResponse ErrorCode = "invalid_response"

	// CodeWebhookSignatureInvalid: a webhook was not signed with this secret, or not as it arrived.
	CodeWebhookSignatureInvalid ErrorCode = "webhook_signature_invalid"

	// CodeWebhookSignatureExpired: a webhook was signed too long ago, or the clocks differ.
	CodeWebhookSignatureExpired ErrorCode = "webhook_signature_expired"
)

// Error is the error of a call that failed, whether the server refused it or it never got there.
//
//	var failure *byond.Error
//	if errors.As(err, &failure) && failure.Code == byond.CodeRateLimited {
//		return tryAgainIn(failure.RetryAfter)
//	}
type Error struct {
	// Code is what to branch on.
	Code ErrorCode
	// Message explains the error to whoever develops or operates the client.
	Message string
	// Status is that of HTTP. Zero if there was no answer, and over gRPC.
	Status int
	// RequestID is the id of the request. Quote it when asking for support.
	RequestID string
	// RetryAfter is, with rate_limited and unavailable, the time to wait before the call is repeated. Zero if the server did not say.
	RetryAfter time.Duration
	// Fields tells, with validation_error, what is wrong, by the name that the field has in the API.
	Fields map[string]string
	// RequiredScope is, with insufficient_scope, the scope that the key lacks.
	RequiredScope string
	// Reason is, with recipient_blocked and where the fraud guard answers otherwise, why it refused the send.
	Reason GuardReason
	// Spent is, with spend_cap_reached, what was spent in the period of the cap, such as 25.00.
	Spent string
	// ResetsAt is, with spend_cap_reached, when the next period begins. Zero with other errors.
	ResetsAt time.Time
	// DocumentationURL is where the code is explained.
	DocumentationURL string

	cause error
}

// NewConnectionError returns the error of a connection that failed, or was lost, for a [Transport].
func NewConnectionError(cause error) *Error {
	return &Error{
		Code:    CodeConnectionFailed,
		Message: fmt.Sprintf("the server was not reached, or the connection was lost: %v", cause),
		cause:   cause,
	}
}

// ParseError reads the JSON of an error of the API, for a [Transport]. It returns nil if it is none.
func ParseError(data []byte) *Error {
	var body struct {
		Code             ErrorCode         `json:"code"`
		Message          string            `json:"message"`
		RequestID        string            `json:"request_id"`
		RetryAfter       float64           `json:"retry_after"`
		Fields           map[string]string `json:"fields"`
		RequiredScope    string            `json:"required_scope"`
		Reason           GuardReason       `json:"reason"`
		Spent            string            `json:"spent"`
		ResetsAt         time.Time         `json:"resets_at"`
		DocumentationURL string            `json:"documentation_url"`
	}
	if json.Unmarshal(data, &body) != nil || body.Code == "" {
		return nil
	}
	return &Error{
		Code:             body.Code,
		Message:          body.Message,
		RequestID:        body.RequestID,
		RetryAfter:       durationOf(body.RetryAfter),
		Fields:           body.Fields,
		RequiredScope:    body.RequiredScope,
		Reason:           body.Reason,
		Spent:            body.Spent,
		ResetsAt:         body.ResetsAt,
		DocumentationURL: body.DocumentationURL,
	}
}

// durationOf is zero for what is no time, and the longest one for what is longer.
func durationOf(seconds float64) time.Duration {
	switch nanoseconds := seconds * float64(time.Second); {
	case !(nanoseconds > 0):
		return 0
	case nanoseconds >= math.MaxInt64:
		return math.MaxInt64
	default:
		return time.Duration(nanoseconds)
	}
}

// Error has the code, the message, and the id of the request.
func (e *Error) Error() string {
	text := fmt.Sprintf("byond: %s: %s", e.Code, e.Message)
	if e.RequestID != "" {
		text += fmt.Sprintf(" (%s)", e.RequestID)
	}
	return text
}

// Unwrap returns the error that caused this one, if there is one: of the network, or [context.DeadlineExceeded].
func (e *Error) Unwrap() error {
	return e.cause
}

func timedOut(message string) *Error {
	return &Error{Code: CodeTimedOut, Message: message, cause: context.DeadlineExceeded}
}

// contextFailure returns why a context is done, and nil if it is not: the cause that the caller canceled it with, or an [*Error].
func contextFailure(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		if _, isError := cause.(*Error); !isError {
			return timedOut("the deadline of the context passed")
		}
	}
	return cause
}
