// Package byond is the Go SDK of Byond, a server for one-time codes, phone lookup and scoped API keys.
//
// Make one [Client] and keep it. Its services have a method for each operation of the API:
//
//	client := byond.New() // BYOND_BASE_URL and BYONDAPI_KEY
//	started, err := client.Verify.Start(ctx, &byond.VerifyStartParams{
//		Channel:   byond.ChannelEmail,
//		Recipient: "ada@example.com",
//	})
//
// Calls take a context, which cancels them, and options ([WithTimeout], [WithIdempotencyKey]). Optional parameters are pointers, which
// [Ptr] makes of values. A call that fails returns an [*Error] with a code, or the cause of the context.
//
// Over gRPC instead of REST: github.com/byond/byond-go/byondgrpc.
package byond
