package byond_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/byond/byond-go"
)

func Example() {
	ctx := context.Background()
	client := byond.New() // BYOND_BASE_URL and BYONDAPI_KEY

	started, err := client.Verify.Start(ctx, &byond.VerifyStartParams{
		Channel:    byond.ChannelEmail,
		Recipient:  "ada@example.com",
		CodeLength: byond.Ptr(8),
	})
	if err != nil {
		log.Fatal(err)
	}

	var code string
	fmt.Scan(&code)
	checked, err := client.Verify.Check(ctx, &byond.VerifyCheckParams{VerificationID: started.VerificationID, Code: code})
	if err != nil {
		log.Fatal(err)
	}
	if checked.Status == byond.VerifyCheckStatusApproved {
		fmt.Println("verified")
	}
}

func ExampleError() {
	client := byond.New()
	_, err := client.Verify.Start(context.Background(), &byond.VerifyStartParams{
		Channel:   byond.ChannelSMS,
		Recipient: "+6591234567",
	})
	var failure *byond.Error
	if errors.As(err, &failure) && failure.Code == byond.CodeRateLimited {
		fmt.Println("try again in", failure.RetryAfter)
	}
}

func ExampleVerifyService_ListAll() {
	client := byond.New()
	params := &byond.VerifyListParams{CreatedAfter: time.Now().Add(-time.Hour)}
	for verification, err := range client.Verify.ListAll(context.Background(), params) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(verification.VerificationID, verification.Status)
	}
}

func ExampleStream() {
	client := byond.New()
	stream := client.Events.Stream(context.Background(), &byond.EventsStreamParams{
		Types: []byond.EventType{byond.EventTypeVerificationApproved},
	})
	for event, err := range stream.All() {
		if err != nil {
			log.Fatal(err)
		}
		if verification, ok := event.Data.(*byond.Verification); ok {
			fmt.Println(event.ID, verification.VerificationID)
		}
	}
}

func ExampleVerifyWebhook() {
	http.HandleFunc("POST /hook", func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		event, err := byond.VerifyWebhook(request.Header, body, os.Getenv("WEBHOOK_SECRET"))
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println(event.Type, event.ID)
	})
}
