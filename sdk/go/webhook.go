package byond

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EventTypePing is the type of the event that a test of a webhook sends ([WebhooksService.Test]). It is about nothing: its data is nil.
const EventTypePing EventType = "ping"

// signatureTolerance is how far the time of a signature may be from now.
const signatureTolerance = 5 * time.Minute

// VerifyWebhook verifies a webhook, and returns its event. Pass the body as it arrived, not JSON that was parsed and written again. Either
// of the two signatures is enough: that of Standard Webhooks (Webhook-Signature), or Byond-Signature. The secret is that of the endpoint:
// whsec_….
//
// The error is an [*Error] with the code [CodeWebhookSignatureInvalid] or [CodeWebhookSignatureExpired].
//
//	event, err := byond.VerifyWebhook(request.Header, body, secret)
//	// …
//	if verification, ok := event.Data.(*byond.Verification); ok && event.Type == byond.EventTypeVerificationApproved {
//		approve(verification.VerificationID)
//	}
func VerifyWebhook(header http.Header, body []byte, secret string) (*Event, error) {
	// A file that it is read from may end with a line break.
	secret = strings.TrimSpace(secret)
	if strings.TrimPrefix(secret, "whsec_") == "" {
		// A secret that was not configured: everybody can sign with it.
		return nil, errors.New("byond: the secret of the webhook is empty")
	}
	signedAt, ok := verifyStandard(header, body, secret)
	if !ok {
		signedAt, ok = verifyByond(header, body, secret)
	}
	if !ok {
		return nil, &Error{
			Code:    CodeWebhookSignatureInvalid,
			Message: "the webhook is not signed with this secret, or its body is not the one that was signed",
		}
	}
	if time.Since(signedAt).Abs() > signatureTolerance {
		return nil, &Error{
			Code:    CodeWebhookSignatureExpired,
			Message: "the webhook was signed more than five minutes ago, or the clock is wrong",
		}
	}
	return decode[Event](body)
}

// SignWebhook signs a webhook as the server does, for tests of your endpoint. It returns the headers of both signatures. It fails if the
// secret is not one of a webhook.
func SignWebhook(id string, body []byte, secret string, now time.Time) (http.Header, error) {
	key, err := standardKey(secret)
	if err != nil {
		return nil, fmt.Errorf("byond: the secret of a webhook is whsec_ and base64: %w", err)
	}
	timestamp, ms := strconv.FormatInt(now.Unix(), 10), strconv.FormatInt(now.UnixMilli(), 10)
	header := http.Header{}
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", timestamp)
	header.Set("Webhook-Signature", standardSignature(key, id, timestamp, body))
	header.Set("Byond-Signature", fmt.Sprintf("t=%s,%s", ms, byondSignature(secret, ms, body)))
	return header, nil
}

// verifyStandard returns the time of the signature, unless it is missing, malformed or wrong.
func verifyStandard(header http.Header, body []byte, secret string) (time.Time, bool) {
	id, timestamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil {
		return time.Time{}, false
	}
	key, err := standardKey(secret)
	if err != nil {
		return time.Time{}, false
	}
	signatures := strings.Split(header.Get("Webhook-Signature"), " ")
	return time.Unix(seconds, 0), hasSignature(signatures, standardSignature(key, id, timestamp, body))
}

func verifyByond(header http.Header, body []byte, secret string) (time.Time, bool) {
	signatures := strings.Split(header.Get("Byond-Signature"), ",")
	timestamp, hasTime := strings.CutPrefix(signatures[0], "t=")
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if !hasTime || err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(ms), hasSignature(signatures[1:], byondSignature(secret, timestamp, body))
}

// hasSignature compares in a time that does not depend on where signatures differ.
func hasSignature(signatures []string, expected string) bool {
	return slices.ContainsFunc(signatures, func(signature string) bool {
		return hmac.Equal([]byte(strings.TrimSpace(signature)), []byte(expected))
	})
}

// standardKey is what a secret stands for.
func standardKey(secret string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
}

func standardSignature(key []byte, id, timestamp string, body []byte) string {
	signed := fmt.Sprintf("%s.%s.", id, timestamp)
	return "v1," + base64.StdEncoding.EncodeToString(hmacSHA256(key, []byte(signed), body))
}

func byondSignature(secret, timestamp string, body []byte) string {
	return "v1=" + hex.EncodeToString(hmacSHA256([]byte(secret), []byte(timestamp+"."), body))
}
