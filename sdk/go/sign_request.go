package byond

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// SignRequest returns the header Byond-Signature of a request: t=<unix ms>,v2=<hex HMAC-SHA256>. The client sends it with
// [WithSignedRequests]. The server accepts each signature of a call with effects once, for five minutes.
//
// The credential is the API key or the access token. The target is path and query as they are sent, below the address of the server:
// /api/v1/lookup?number=%2B6591234567.
func SignRequest(credential, method, target string, body []byte, now time.Time) string {
	ms := now.UnixMilli()
	signed := fmt.Sprintf("v2\n%d\n%s\n%s\n", ms, method, target)
	return fmt.Sprintf("t=%d,v2=%s", ms, hex.EncodeToString(hmacSHA256([]byte(credential), []byte(signed), body)))
}

// hmacSHA256 is that of the parts, one after the other.
func hmacSHA256(key []byte, parts ...[]byte) []byte {
	hash := hmac.New(sha256.New, key)
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}
