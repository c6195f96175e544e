package byond

import "strings"

// SandboxCode returns the code of every verification that a sandbox key starts: zeros, as many as its code length, which is 6 unless the
// call said otherwise.
func SandboxCode(codeLength int) string {
	return strings.Repeat("0", codeLength)
}

// IsSandboxKey tells whether a key belongs to the sandbox: nothing that it does leaves the server.
func IsSandboxKey(apiKey string) bool {
	return strings.HasPrefix(apiKey, "pk_test_")
}
