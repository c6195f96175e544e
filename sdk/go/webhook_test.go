package byond_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/byond/byond-go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var ping = []byte(`{"id":"evt_1","type":"ping","mode":"test","created_at":"2026-06-15T10:30:00Z","data":null}`)

func signed(t *testing.T, secret string) http.Header {
	t.Helper()
	header, err := byond.SignWebhook("evt_1", ping, secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return header
}

func TestVerifyWebhook(t *testing.T) {
	for _, left := range []string{"Byond-Signature", "Webhook-Signature"} {
		header := signed(t, secret)
		header.Del(left)
		event, err := byond.VerifyWebhook(header, ping, secret)
		if err != nil || event.Type != byond.EventTypePing || event.Data != nil {
			t.Errorf("without %s: %v, %v", left, event, err)
		}
	}
	var failure *byond.Error
	_, err := byond.VerifyWebhook(signed(t, secret), append(ping, ' '), secret)
	if !errors.As(err, &failure) || failure.Code != byond.CodeWebhookSignatureInvalid {
		t.Errorf("with another body: %v", err)
	}
}

func TestVerifyWebhookWithoutSecret(t *testing.T) {
	for _, empty := range []string{"", "whsec_", "whsec_\n"} {
		if _, err := byond.VerifyWebhook(signed(t, empty), ping, empty); err == nil {
			t.Errorf("the empty secret %q verifies", empty)
		}
	}
	// No base64: only the signature that uses the text of the secret can match.
	header := signed(t, secret)
	header.Del("Byond-Signature")
	if _, err := byond.VerifyWebhook(header, ping, "whsec_?"); err == nil {
		t.Error("a secret that is none verifies")
	}
}
