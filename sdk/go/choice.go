package byond

import (
	"encoding/json"
	"strings"
)

// isNull tells whether a member of a JSON object is null or absent.
func isNull(member json.RawMessage) bool {
	return member == nil || string(member) == "null"
}

// beforeDot is what tells which of several types a member has.
func beforeDot(word string) string {
	before, _, _ := strings.Cut(word, ".")
	return before
}
