package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"example.com/acme/byond"
)

func main() {
	configuration := byond.NewConfiguration()
	configuration.Servers = byond.ServerConfigurations{{URL: os.Getenv("BYOND_URL") + "/api/v1"}}
	client := byond.NewAPIClient(configuration)
	recipient := os.Getenv("RECIPIENT")
	ctx := withKey(os.Getenv("BYONDAPI_KEY"))
	session := context.WithValue(context.Background(), byond.ContextAccessToken, os.Getenv("JWT"))
	// The generated client sends the token of a context with every call, and the server refuses two credentials: hence two contexts.
	both := context.WithValue(ctx, byond.ContextAccessToken, os.Getenv("JWT"))
	if _, _, err := client.LookupAPI.LookupNumber(both).Number("+6591234567").Execute(); err == nil {
		log.Fatal("one context can have both credentials")
	}

	start := func(ctx context.Context, request *byond.StartVerificationRequest) (string, string, error) {
		started, _, err := client.VerifyAPI.StartVerification(ctx).StartVerificationRequest(*request).Execute()
		if err != nil {
			return "", "", err
		}
		return started.GetVerificationId(), string(started.GetStatus()), nil
	}

	request := byond.NewStartVerificationRequest(byond.CHANNEL_EMAIL, recipient)
	request.SetBrand("Acme")
	request.SetCodeLength(6)
	id, status, err := start(ctx, request)
	must(err)
	fmt.Println("started", status)

	checked, _, err := client.VerifyAPI.CheckVerification(ctx).
		CheckVerificationRequest(*byond.NewCheckVerificationRequest(id, "000000")).Execute()
	must(err)
	fmt.Println("checked", checked.GetStatus())

	number, _, err := client.LookupAPI.LookupNumber(ctx).Number("+6591234567").Country("SG").Execute()
	must(err)
	fmt.Println("lookup", number.GetNumberE164(), number.GetCountryCode(), number.GetLineType())

	listed, _, err := client.APIKeysAPI.ListApiKeys(session).Execute()
	must(err)
	var names []string
	for _, key := range listed.GetKeys() {
		names = append(names, key.GetName())
	}
	fmt.Println("keys", strings.Join(names, ","))

	_, _, err = start(ctx, byond.NewStartVerificationRequest(byond.CHANNEL_EMAIL, "nobody"))
	httpStatus, info := errorOf(err)
	fields := slices.Sorted(maps.Keys(info.GetFields()))
	fmt.Println("invalid", httpStatus, info.GetCode(), strings.Join(fields, ","))

	for range 5 {
		if _, _, err = start(ctx, byond.NewStartVerificationRequest(byond.CHANNEL_EMAIL, recipient)); err != nil {
			httpStatus, info = errorOf(err)
			fmt.Println("limited", httpStatus, info.GetCode(), info.GetRetryAfter())
			break
		}
	}

	_, _, err = start(withKey("pk_test_wrong"), byond.NewStartVerificationRequest(byond.CHANNEL_EMAIL, recipient))
	httpStatus, info = errorOf(err)
	fmt.Println("unauthorized", httpStatus, info.GetCode())
}

func withKey(key string) context.Context {
	keys := map[string]byond.APIKey{"ApiKeyAuth": {Key: key}}
	return context.WithValue(context.Background(), byond.ContextAPIKeys, keys)
}

// errorOf returns the HTTP status and the error of the response, with the types that were generated.
func errorOf(err error) (string, byond.ErrorInfo) {
	var apiError *byond.GenericOpenAPIError
	if !errors.As(err, &apiError) {
		log.Fatalf("not an error of the API: %v", err)
	}
	response, ok := apiError.Model().(byond.ErrorResponse)
	if !ok {
		log.Fatalf("not an ErrorResponse: %v", err)
	}
	status, _, _ := strings.Cut(apiError.Error(), " ")
	return status, response.GetError()
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
