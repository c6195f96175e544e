package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"byond.example/calls/api"
)

// credentials answers ogen's question for the credential that an operation takes.
type credentials struct{ key, session string }

func (c credentials) ApiKeyAuth(context.Context, api.OperationName) (api.ApiKeyAuth, error) {
	return api.ApiKeyAuth{APIKey: c.key}, nil
}

func (c credentials) SessionAuth(context.Context, api.OperationName) (api.SessionAuth, error) {
	return api.SessionAuth{Token: c.session}, nil
}

// statusRecorder remembers the status of the last response: ogen has a type for each instead.
type statusRecorder struct{ status int }

func (s *statusRecorder) Do(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		s.status = response.StatusCode
	}
	return response, err
}

// refusal is what all types of errors have in common.
type refusal interface{ GetResponse() api.ErrorResponse }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	recorder := &statusRecorder{}
	connect := func(key string) *api.Client {
		return must(api.NewClient(os.Getenv("BYOND_URL")+"/api/v1", credentials{key, os.Getenv("JWT")}, api.WithClient(recorder)))
	}
	client := connect(os.Getenv("BYONDAPI_KEY"))
	recipient := os.Getenv("RECIPIENT")

	started := must(client.StartVerification(ctx, &api.StartVerificationRequest{
		Channel:    api.ChannelEmail,
		Recipient:  recipient,
		Brand:      api.NewOptString("Acme"),
		CodeLength: api.NewOptInt32(6),
	}, api.StartVerificationParams{})).(*api.StartVerificationReplyHeaders)
	fmt.Println("started", started.Response.Status)

	checked := must(client.CheckVerification(ctx, &api.CheckVerificationRequest{
		VerificationID: started.Response.VerificationID,
		Code:           "000000",
	}, api.CheckVerificationParams{})).(*api.CheckVerificationReplyHeaders)
	fmt.Println("checked", checked.Response.Status)

	number := must(client.LookupNumber(ctx, api.LookupNumberParams{
		Number:  "+6591234567",
		Country: api.NewOptLookupNumberCountry(api.LookupNumberCountrySG),
	})).(*api.LookupNumberReplyHeaders).Response
	fmt.Println("lookup", number.NumberE164.Or(""), number.CountryCode.Or(""), number.LineType)

	listed := must(client.ListApiKeys(ctx, api.ListApiKeysParams{})).(*api.ListApiKeysReplyHeaders)
	names := []string{}
	for _, key := range listed.Response.Keys {
		names = append(names, key.Name)
	}
	fmt.Println("keys", strings.Join(names, ","))

	start := func(client *api.Client, recipient string) (api.ErrorInfo, bool) {
		request := &api.StartVerificationRequest{Channel: api.ChannelEmail, Recipient: recipient}
		response, isRefused := must(client.StartVerification(ctx, request, api.StartVerificationParams{})).(refusal)
		if !isRefused {
			return api.ErrorInfo{}, false
		}
		return response.GetResponse().Error, true
	}
	invalid, _ := start(client, "nobody")
	fields := slices.Sorted(maps.Keys(invalid.Fields.Value))
	fmt.Println("invalid", recorder.status, invalid.Code, strings.Join(fields, ","))

	for range 5 {
		if limited, isRefused := start(client, recipient); isRefused {
			fmt.Println("limited", recorder.status, limited.Code, limited.RetryAfter.Value)
			break
		}
	}

	unauthorized, _ := start(connect("pk_test_wrong"), recipient)
	fmt.Println("unauthorized", recorder.status, unauthorized.Code)
}
