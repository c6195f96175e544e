package byondgrpc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/byond/byond-go"
	"github.com/byond/byond-go/byondgrpc"
)

var number = &byond.LookupNumberParams{Number: "+6591234567"}

func TestWhatCannotBeCalled(t *testing.T) {
	transport := byondgrpc.NewTransport()
	defer transport.Close()
	client := byond.New(byond.WithTransport(transport), byond.WithAPIKey("pk_test_0123.secret"))
	for want, each := range map[string]*byond.Client{
		"cannot be signed":              client.With(byond.WithSignedRequests()),
		"is not http:// or https://":    client.With(byond.WithBaseURL("http://127.0.0.1:1/byond")),
		`the base URL "127.0.0.1:1" is`: client.With(byond.WithBaseURL("127.0.0.1:1")),
	} {
		if _, err := each.Lookup.Number(t.Context(), number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, which does not say %q", err, want)
		}
	}
}

func TestConnectionFailed(t *testing.T) {
	transport := byondgrpc.NewTransport()
	defer transport.Close()
	client := byond.New(byond.WithTransport(transport), byond.WithBaseURL("http://127.0.0.1:1"), byond.WithMaxRetries(0))
	_, err := client.Lookup.Number(t.Context(), number)
	var failure *byond.Error
	if !errors.As(err, &failure) || failure.Code != byond.CodeConnectionFailed {
		t.Errorf("the error is %v", err)
	}
	for _, err := range client.Events.Stream(t.Context(), nil).All() {
		if !errors.As(err, &failure) || failure.Code != byond.CodeConnectionFailed {
			t.Errorf("the error is %v", err)
		}
	}
}
