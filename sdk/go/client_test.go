package byond_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/byond/byond-go"
)

// What the cases of all SDKs (sdk/cases.yaml) do not cover.

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

// answering makes an HTTP client that keeps its requests, and gives each the same answer.
func answering(body string) (byond.ClientOption, *[]*http.Request) {
	requests := &[]*http.Request{}
	client := &http.Client{Transport: roundTrip(func(request *http.Request) (*http.Response, error) {
		*requests = append(*requests, request)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: request}, nil
	})}
	return byond.WithHTTPClient(client), requests
}

// serve makes a client of a server.
func serve(t *testing.T, handler http.HandlerFunc, options ...byond.ClientOption) *byond.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return byond.New(append(options, byond.WithBaseURL(server.URL))...)
}

var number = &byond.LookupNumberParams{Number: "+6591234567"}

func TestWhereTheServerIs(t *testing.T) {
	for _, test := range []struct {
		url, baseURL string
		options      []byond.ClientOption
		want         string
	}{
		{"", "", nil, "http://127.0.0.1:8080"},
		{"http://one:1", "", nil, "http://one:1"},
		{"http://one:1", "https://two/byond/", nil, "https://two/byond"},
		{"", "https://two", []byond.ClientOption{byond.WithBaseURL("https://three/api/v1/")}, "https://three"},
	} {
		t.Setenv("BYOND_URL", test.url)
		t.Setenv("BYOND_BASE_URL", test.baseURL)
		httpClient, requests := answering(`{"valid":true}`)
		if _, err := byond.New(append(test.options, httpClient)...).Lookup.Number(t.Context(), number); err != nil {
			t.Fatal(err)
		}
		if sent, want := (*requests)[0].URL.String(), test.want+"/api/v1/lookup?number=%2B6591234567"; sent != want {
			t.Errorf("sent to %s, not %s", sent, want)
		}
	}
}

func TestAccessTokenReplacesKeyAndNamesMode(t *testing.T) {
	t.Setenv("BYONDAPI_KEY", "pk_test_0123.secret")
	httpClient, requests := answering(`{}`)
	client := byond.New(httpClient, byond.WithMode(byond.ModeTest))
	session := client.With(byond.WithAccessToken("ey.token"))
	for _, each := range []*byond.Client{client, session} {
		if _, err := each.Auth.Me(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !each.IsSandbox() {
			t.Error("the client is not one of the sandbox")
		}
	}
	if _, err := client.Auth.SignIn(t.Context(), &byond.AuthSignInParams{Email: "ada@example.com", Password: "x"}); err != nil {
		t.Fatal(err)
	}
	for index, want := range []struct{ key, token, mode string }{
		{"pk_test_0123.secret", "", ""},
		{"", "Bearer ey.token", "test"},
		// Signing in takes no credential.
		{"", "", ""},
	} {
		header := (*requests)[index].Header
		if header.Get("X-API-Key") != want.key || header.Get("Authorization") != want.token || header.Get("Byond-Mode") != want.mode {
			t.Errorf("request %d has %v", index, header)
		}
	}
}

func TestOptionalParametersAreAbsentOrEmpty(t *testing.T) {
	httpClient, requests := answering(`{}`)
	client := byond.New(httpClient)
	expiry := time.Date(2026, 6, 15, 12, 30, 0, 5, time.FixedZone("", 2*60*60))
	for _, test := range []struct {
		params *byond.KeysUpdateParams
		want   string
	}{
		{nil, `{}`},
		{&byond.KeysUpdateParams{}, `{}`},
		{
			&byond.KeysUpdateParams{Name: byond.Ptr(""), Scopes: []string{}, ExpiresAt: expiry},
			`{"expires_at":"2026-06-15T10:30:00Z","name":"","scopes":[]}`,
		},
	} {
		if _, err := client.Keys.Update(t.Context(), "key_1/?", test.params); err != nil {
			t.Fatal(err)
		}
		request := (*requests)[len(*requests)-1]
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Fatal(err)
		}
		if string(body) != test.want || request.URL.RequestURI() != "/api/v1/api-keys/key_1%2F%3F" {
			t.Errorf("sent %s to %s", body, request.URL.RequestURI())
		}
	}
}

func TestIDCannotLeadToAnotherOperation(t *testing.T) {
	httpClient, requests := answering(`{}`)
	client := byond.New(httpClient)
	for id, want := range map[string]string{"../../keys": "..%2F..%2Fkeys", "a/b?c#d": "a%2Fb%3Fc%23d"} {
		if _, err := client.Webhooks.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if sent := (*requests)[len(*requests)-1].URL.RequestURI(); sent != "/api/v1/webhooks/"+want {
			t.Errorf("%s is sent as %s", id, sent)
		}
	}
	count := len(*requests)
	for _, id := range []string{"", ".", ".."} {
		// No escaping keeps what is in between from resolving dots.
		if _, err := client.Webhooks.Delete(t.Context(), id); err == nil || len(*requests) != count {
			t.Errorf("the id %q is sent: %v", id, err)
		}
	}
}

func TestNewerServersAreNoError(t *testing.T) {
	httpClient, _ := answering(`{"id":"evt_1","type":"verification.paused","new":{"field":1},
		"data":{"verification_id":"vrf_1","status":"paused","created_at":"2026-06-15T10:30:00Z"}}`)
	event, err := byond.New(httpClient).Events.Get(t.Context(), "evt_1")
	if err != nil {
		t.Fatal(err)
	}
	if verification, ok := event.Data.(*byond.Verification); !ok || verification.Status != "paused" || verification.ApprovedAt != nil {
		t.Errorf("the data are %#v", event.Data)
	}
	httpClient, _ = answering(`{"id":"evt_1","type":"invoice.paid","data":{"amount_due":1}}`)
	if event, err = byond.New(httpClient).Events.Get(t.Context(), "evt_1"); err != nil {
		t.Fatal(err)
	}
	if data, ok := event.Data.(byond.UnknownEventData); !ok || string(data.RawMessage) != `{"amount_due":1}` {
		t.Errorf("the data are %#v", event.Data)
	}
}

func TestContextEndsCall(t *testing.T) {
	left := errors.New("the user left")
	ctx, leave := context.WithCancelCause(t.Context())
	client := serve(t, func(http.ResponseWriter, *http.Request) { leave(left) })
	for range 2 {
		if _, err := client.Lookup.Number(ctx, number); !errors.Is(err, left) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestContextEndsPauseAndStream(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	client := serve(t, func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Retry-After", "20")
		response.WriteHeader(503)
		time.AfterFunc(50*time.Millisecond, leave)
	})
	if _, err := client.Lookup.Number(ctx, number); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	for event, err := range client.Events.Stream(ctx, nil).All() {
		if event != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestDeadlineOfContextIsTimedOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	client := serve(t, func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
	_, err := client.Lookup.Number(ctx, number)
	var failure *byond.Error
	if !errors.As(err, &failure) || failure.Code != byond.CodeTimedOut || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
}

func TestStreamThatIsLeftClosesItsConnection(t *testing.T) {
	closed := make(chan struct{})
	client := serve(t, func(response http.ResponseWriter, request *http.Request) {
		response.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(response, "id: evt_1\ndata: {\"id\":\"evt_1\",\"type\":\"verification.started\",\"data\":null}\n\n")
		response.(http.Flusher).Flush()
		<-request.Context().Done()
		close(closed)
	})
	stream := client.Events.Stream(t.Context(), nil)
	for event, err := range stream.All() {
		if err != nil || event.ID != "evt_1" || event.Data != nil {
			t.Errorf("the event is %v, the error %v", event, err)
		}
		break
	}
	<-closed
	if stream.ResumeAfter() != "evt_1" {
		t.Errorf("it goes on after %q", stream.ResumeAfter())
	}
}

func TestListAllEndsWithError(t *testing.T) {
	client := serve(t, func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Query().Get("page_token") == "" {
			io.WriteString(response, `{"verifications":[{"verification_id":"vrf_1"}],"next_page_token":"2"}`)
			return
		}
		response.WriteHeader(404)
		io.WriteString(response, `{"error":{"code":"not_found","message":"There is no such page."}}`)
	})
	var ids []string
	var failure error
	for verification, err := range client.Verify.ListAll(t.Context(), nil) {
		if failure = err; err == nil {
			ids = append(ids, verification.VerificationID)
		}
	}
	if len(ids) != 1 || failure == nil || failure.Error() != "byond: not_found: There is no such page." {
		t.Errorf("there are %v, then %v", ids, failure)
	}
}

func TestRedirectionIsNotFollowed(t *testing.T) {
	client := serve(t, func(response http.ResponseWriter, request *http.Request) {
		http.Redirect(response, request, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
	})
	_, err := client.Verify.Erase(t.Context(), &byond.VerifyEraseParams{Recipient: "x"})
	var failure *byond.Error
	if !errors.As(err, &failure) || failure.Code != byond.CodeInvalidResponse || failure.Status != 307 {
		t.Errorf("the error is %v", err)
	}
}

func TestErrorOfConnectionDoesNotNameRecipient(t *testing.T) {
	client := byond.New(byond.WithBaseURL("http://127.0.0.1:1"), byond.WithMaxRetries(0))
	_, err := client.Verify.List(t.Context(), &byond.VerifyListParams{Recipient: byond.Ptr("ada@example.com")})
	var failure *byond.Error
	if !errors.As(err, &failure) || failure.Code != byond.CodeConnectionFailed || strings.Contains(err.Error(), "ada") {
		t.Errorf("the error is %v", err)
	}
}

func TestKeysWithLineBreaks(t *testing.T) {
	httpClient, requests := answering(`{}`)
	_, err := byond.New(httpClient, byond.WithAPIKey("pk_test_0123.se\ncret")).Lookup.Number(t.Context(), number)
	if err == nil || strings.Contains(err.Error(), "cret") {
		t.Errorf("the error is %v", err)
	}
	// As of a file that it was read from.
	client := byond.New(httpClient, byond.WithAPIKey("pk_test_0123.secret\r\n"))
	if _, err := client.Lookup.Number(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	if key := (*requests)[0].Header.Get("X-API-Key"); len(*requests) != 1 || key != "pk_test_0123.secret" {
		t.Errorf("sent %q", key)
	}
}

func TestNullIsNoResult(t *testing.T) {
	for _, body := range []string{"null", "[]", `{"ok":true,"data":null}`} {
		httpClient, _ := answering(body)
		_, err := byond.New(httpClient).Lookup.Number(t.Context(), number)
		if failure := (*byond.Error)(nil); !errors.As(err, &failure) || failure.Code != byond.CodeInvalidResponse {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for header, isLong := range map[string]bool{
		"-7": false, "NaN": false, "soon": false, "1e300": true, "99999999999": true, "Fri, 31 Dec 2199 23:59:59 GMT": true,
	} {
		client := serve(t, func(response http.ResponseWriter, _ *http.Request) {
			response.Header().Set("Retry-After", header)
			response.WriteHeader(http.StatusServiceUnavailable)
		})
		_, err := client.Lookup.Number(t.Context(), number, byond.WithMaxRetries(0))
		var failure *byond.Error
		if !errors.As(err, &failure) || (failure.RetryAfter > time.Hour) != isLong || failure.RetryAfter < 0 {
			t.Errorf("%s: %v, %v", header, err, failure.RetryAfter)
		}
	}
}

func TestBaseURLWithoutScheme(t *testing.T) {
	for _, baseURL := range []string{"localhost:8080", "http://ada:secret@local\nhost"} {
		_, err := byond.New(byond.WithBaseURL(baseURL)).Lookup.Number(t.Context(), number)
		if failure := (*byond.Error)(nil); err == nil || errors.As(err, &failure) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", baseURL, err)
		}
	}
}

func TestStreamThatIsNone(t *testing.T) {
	client := serve(t, func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "text/html")
		io.WriteString(response, "<html>\n\n</html>\n\n")
	})
	for _, err := range client.Events.Stream(t.Context(), nil).All() {
		if failure := (*byond.Error)(nil); !errors.As(err, &failure) || failure.Code != byond.CodeInvalidResponse {
			t.Error(err)
		}
	}
}
