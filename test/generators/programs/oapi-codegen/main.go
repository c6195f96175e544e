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

// with returns a client that sends the header with each request.
func with(name, value string) *api.ClientWithResponses {
	return must(api.NewClientWithResponses(
		os.Getenv("BYOND_URL")+"/api/v1",
		api.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set(name, value)
			return nil
		}),
	))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func pointer[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	client := with("X-API-Key", os.Getenv("BYONDAPI_KEY"))
	recipient := os.Getenv("RECIPIENT")

	started := must(client.StartVerificationWithResponse(ctx, nil, api.StartVerificationRequest{
		Channel:    api.Email,
		Recipient:  recipient,
		Brand:      pointer("Acme"),
		CodeLength: pointer(int32(6)),
	})).JSON201
	fmt.Println("started", started.Status)

	checked := must(client.CheckVerificationWithResponse(ctx, nil, api.CheckVerificationRequest{
		VerificationId: started.VerificationId,
		Code:           "000000",
	})).JSON200
	fmt.Println("checked", checked.Status)

	number := must(client.LookupNumberWithResponse(ctx, &api.LookupNumberParams{
		Number:  "+6591234567",
		Country: pointer(api.LookupNumberParamsCountry("SG")),
	})).JSON200
	fmt.Println("lookup", *number.NumberE164, *number.CountryCode, number.LineType)

	listed := must(with("Authorization", "Bearer "+os.Getenv("JWT")).ListApiKeysWithResponse(ctx, nil)).JSON200
	names := []string{}
	for _, key := range listed.Keys {
		names = append(names, key.Name)
	}
	fmt.Println("keys", strings.Join(names, ","))

	start := func(client *api.ClientWithResponses, recipient string) *api.StartVerificationResponse {
		request := api.StartVerificationRequest{Channel: api.Email, Recipient: recipient}
		return must(client.StartVerificationWithResponse(ctx, nil, request))
	}
	invalid := start(client, "nobody")
	fields := slices.Sorted(maps.Keys(*invalid.JSON422.Error.Fields))
	fmt.Println("invalid", invalid.StatusCode(), invalid.JSON422.Error.Code, strings.Join(fields, ","))

	for range 5 {
		if limited := start(client, recipient); limited.JSON429 != nil {
			fmt.Println("limited", limited.StatusCode(), limited.JSON429.Error.Code, *limited.JSON429.Error.RetryAfter)
			break
		}
	}

	unauthorized := start(with("X-API-Key", "pk_test_wrong"), recipient)
	fmt.Println("unauthorized", unauthorized.StatusCode(), unauthorized.JSON401.Error.Code)
}
