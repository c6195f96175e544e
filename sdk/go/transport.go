package byond

import (
	"context"
	"encoding/json"
	"net/http"
)

// Transport carries out attempts at calls. The errors that it returns are of the type [*Error]; once the context is done, any will do.
type Transport interface {
	// Call returns the JSON of the result.
	Call(ctx context.Context, attempt *Attempt) (json.RawMessage, error)
	// Stream returns when the server has accepted the stream, which lasts as long as the context.
	Stream(ctx context.Context, attempt *Attempt) (Messages, error)
}

// Messages are those of one connection of a stream.
type Messages interface {
	// Next waits for the next message. It returns [io.EOF] when the server ended the stream.
	Next() (StreamMessage, error)
	Close() error
}

// StreamMessage is a message of a stream: a result, or a heartbeat without one.
type StreamMessage struct {
	// Result is the JSON of the result, or nil.
	Result json.RawMessage
	// ResumeAfter tells where the stream can be resumed after this message. Empty: where the one before it said.
	ResumeAfter string
}

// Attempt is one attempt at a call.
type Attempt struct {
	// Operation is what is called.
	Operation *Operation
	// BaseURL is the address of the server, without a slash at its end.
	BaseURL string
	// Path has the values of the path parameters, by their names.
	Path map[string]string
	// Parameters are the other ones, as the JSON of REST: of texts, numbers, booleans, []any and map[string]any.
	Parameters map[string]any
	// Header has the credential, and all others that the SDK sends.
	Header http.Header
	// SigningKey is the credential that signs the request. Empty: it is not signed.
	SigningKey string
}

// Operation tells how a method of a service calls the API.
type Operation struct {
	// ID is the name of the operation in all SDKs: webhooks.rotate_secret.
	ID string
	// RPC is the procedure of gRPC: byond.v1.WebhookService/RotateWebhookSecret.
	RPC string
	// Method is that of the HTTP request.
	Method string
	// Path has {name} for each path parameter.
	Path string
	// PathParameters are their names, in the order of the path.
	PathParameters []string
	// ParametersIn is query, body or none.
	ParametersIn string
	// ParametersField is, over gRPC, the field of the request that holds the parameters. Empty: they are fields of the request.
	ParametersField string
	// ResultField is, over gRPC, the field of the response that holds the result. Empty: the response is the result.
	ResultField string
	// ItemsField is, if the result is a page, its member with the elements.
	ItemsField string
	// ResumeField is, if the results are a stream over gRPC, the field of each message that says where to resume.
	ResumeField string
	// ResumeParameter is, if the results are a stream, the parameter that resumes it.
	ResumeParameter string
	// TakesCredential tells whether a credential is sent.
	TakesCredential bool
	// HasSideEffects tells whether an Idempotency-Key is sent.
	HasSideEffects bool
	// IsRepeatable tells whether it can be sent again if nobody knows whether it was carried out.
	IsRepeatable bool
}
