package byond

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestServerSentEvents(t *testing.T) {
	long := `"` + strings.Repeat("a", 100_000) + `"`
	text := ":\n\nid: evt_1\ndata: {\"a\":\"ä\"}\n\nid: evt_2\n\ndata: [1,\r\ndata: 2]\r\n\r\ndata:" + long + "\n\ndata: \"cut off\""
	want := []StreamMessage{
		{},
		{Result: []byte(`{"a":"ä"}`), ResumeAfter: "evt_1"},
		{ResumeAfter: "evt_2"},
		{Result: []byte("[1,\n2]")},
		{Result: []byte(long)},
	}
	for _, reader := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
		messages := newEventMessages(io.NopCloser(reader))
		for _, expected := range want {
			if message, err := messages.Next(); err != nil || !reflect.DeepEqual(message, expected) {
				t.Errorf("the message is %s, %s, %v", message.Result, message.ResumeAfter, err)
			}
		}
		if _, err := messages.Next(); err != io.EOF {
			t.Errorf("it ends with %v", err)
		}
	}
}

func TestServerSentError(t *testing.T) {
	body := "event: error\ndata: {\"error\":{\"code\":\"not_found\",\"message\":\"No.\",\"retry_after\":2}}\n\n"
	_, err := newEventMessages(io.NopCloser(strings.NewReader(body))).Next()
	if failure, ok := err.(*Error); !ok || failure.Code != CodeNotFound || failure.RetryAfter.Seconds() != 2 {
		t.Errorf("the error is %v", err)
	}
}
