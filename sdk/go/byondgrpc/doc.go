// Package byondgrpc carries the calls of the Go SDK of Byond over gRPC instead of REST.
//
//	transport := byondgrpc.NewTransport()
//	defer transport.Close()
//	client := byond.New(byond.WithTransport(transport))
//
// Calls, types and errors are the same. Requests cannot be signed, and errors have no HTTP status.
package byondgrpc
