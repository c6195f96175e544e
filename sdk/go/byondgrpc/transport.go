package byondgrpc

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"

	"github.com/byond/byond-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Transport is a [byond.Transport]. It is safe for concurrent use, by any number of clients: they share the connection to a server.
type Transport struct {
	options []grpc.DialOption

	mutex       sync.Mutex
	connections map[string]*grpc.ClientConn
}

var _ byond.Transport = (*Transport)(nil)

// NewTransport makes a transport. Servers at an https:// address are called over TLS, with the certificates of the system; the options
// come after that, and can replace it.
func NewTransport(options ...grpc.DialOption) *Transport {
	return &Transport{options: options, connections: map[string]*grpc.ClientConn{}}
}

// Close closes all connections. Calls of clients with this transport then open new ones.
func (t *Transport) Close() error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	var failures []error
	for _, connection := range t.connections {
		failures = append(failures, connection.Close())
	}
	clear(t.connections)
	return errors.Join(failures...)
}

// Call calls a unary procedure.
func (t *Transport) Call(ctx context.Context, attempt *byond.Attempt) (json.RawMessage, error) {
	connection, request, procedure, err := t.prepare(attempt)
	if err != nil {
		return nil, err
	}
	response := dynamicpb.NewMessage(procedure.Output())
	if err := connection.Invoke(outgoing(ctx, attempt), "/"+attempt.Operation.RPC, request, response); err != nil {
		return nil, failureOf(err)
	}
	members, err := toREST(response)
	if err != nil {
		return nil, err
	}
	return json.Marshal(resultOf(attempt.Operation, members))
}

// Stream calls a procedure that streams its answers.
func (t *Transport) Stream(ctx context.Context, attempt *byond.Attempt) (byond.Messages, error) {
	connection, request, procedure, err := t.prepare(attempt)
	if err != nil {
		return nil, err
	}
	description := &grpc.StreamDesc{ServerStreams: true}
	stream, err := connection.NewStream(outgoing(ctx, attempt), description, "/"+attempt.Operation.RPC)
	if err != nil {
		return nil, failureOf(err)
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return nil, failureOf(err)
	}
	// The server has accepted the stream when its headers have come. Without any, reading tells why.
	if _, err := stream.Header(); err != nil {
		return nil, failureOf(err)
	}
	return &messages{stream: stream, operation: attempt.Operation, output: procedure.Output()}, nil
}

// prepare returns what an attempt is sent over, and as. What the schema cannot hold is refused here, as the server would refuse it.
func (t *Transport) prepare(attempt *byond.Attempt) (*grpc.ClientConn, *dynamicpb.Message, procedure, error) {
	if attempt.SigningKey != "" {
		return nil, nil, nil, errors.New("byondgrpc: requests over gRPC cannot be signed; use REST for keys that demand signatures")
	}
	procedure, err := findProcedure(attempt.Operation.RPC)
	if err != nil {
		return nil, nil, nil, err
	}
	request, err := toProtobuf(procedure.Input(), requestOf(attempt))
	if err != nil {
		return nil, nil, nil, &byond.Error{Code: byond.CodeValidationError, Message: err.Error()}
	}
	connection, err := t.connect(attempt.BaseURL)
	return connection, request, procedure, err
}

func (t *Transport) connect(baseURL string) (*grpc.ClientConn, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if connection, ok := t.connections[baseURL]; ok {
		return connection, nil
	}
	target, security, err := addressOf(baseURL)
	if err != nil {
		return nil, err
	}
	options := append([]grpc.DialOption{
		grpc.WithTransportCredentials(security),
		grpc.WithUserAgent("byond-go/" + byond.Version),
		// The SDK repeats calls.
		grpc.WithDisableRetry(),
	}, t.options...)
	connection, err := grpc.NewClient(target, options...)
	if err != nil {
		return nil, fmt.Errorf("byondgrpc: %w", err)
	}
	t.connections[baseURL] = connection
	return connection, nil
}

func addressOf(baseURL string) (string, credentials.TransportCredentials, error) {
	address, err := url.Parse(baseURL)
	if err != nil || address.Host == "" || address.Path != "" {
		return "", nil, fmt.Errorf("byondgrpc: the base URL %q is not http:// or https:// and a host", baseURL)
	}
	if address.Scheme == "https" {
		return withPort(address, "443"), credentials.NewTLS(&tls.Config{}), nil
	}
	return withPort(address, "80"), insecure.NewCredentials(), nil
}

func withPort(address *url.URL, port string) string {
	if address.Port() != "" {
		return address.Host
	}
	return address.Host + ":" + port
}

// outgoing is the context with the headers, but for that which gRPC writes itself.
func outgoing(ctx context.Context, attempt *byond.Attempt) context.Context {
	headers := metadata.MD{}
	for name, values := range attempt.Header {
		if name != "User-Agent" {
			headers[strings.ToLower(name)] = values
		}
	}
	return metadata.NewOutgoingContext(ctx, headers)
}

// requestOf is the JSON of the request: of path parameters and others.
func requestOf(attempt *byond.Attempt) map[string]any {
	members := map[string]any{}
	for name, value := range attempt.Path {
		members[name] = value
	}
	if field := attempt.Operation.ParametersField; field != "" {
		members[field] = attempt.Parameters
		return members
	}
	for name, value := range attempt.Parameters {
		members[name] = value
	}
	return members
}

func resultOf(operation *byond.Operation, members map[string]any) any {
	if operation.ResultField != "" {
		return members[operation.ResultField]
	}
	return members
}

// messages are those of one connection of a stream.
type messages struct {
	stream    grpc.ClientStream
	operation *byond.Operation
	output    messageDescriptor
}

// Next waits for the next message.
func (m *messages) Next() (byond.StreamMessage, error) {
	answer := dynamicpb.NewMessage(m.output)
	if err := m.stream.RecvMsg(answer); err != nil {
		if errors.Is(err, io.EOF) {
			return byond.StreamMessage{}, io.EOF
		}
		return byond.StreamMessage{}, failureOf(err)
	}
	members, err := toREST(answer)
	if err != nil {
		return byond.StreamMessage{}, err
	}
	message := byond.StreamMessage{}
	message.ResumeAfter, _ = members[m.operation.ResumeField].(string)
	if result := resultOf(m.operation, members); result != nil {
		message.Result, err = json.Marshal(result)
	}
	return message, err
}

// Close does nothing: the connection of a stream ends with its context.
func (m *messages) Close() error {
	return nil
}
