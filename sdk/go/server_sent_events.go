package byond

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// eventMessages reads the server-sent events of a connection (HTML §9.2.6).
type eventMessages struct {
	body   io.ReadCloser
	reader *bufio.Reader
}

func newEventMessages(body io.ReadCloser) *eventMessages {
	return &eventMessages{body, bufio.NewReader(body)}
}

func (m *eventMessages) Close() error {
	return m.body.Close()
}

// Next returns the next event. A block without data only sets the id, or shows that the connection lives.
func (m *eventMessages) Next() (StreamMessage, error) {
	var event, id string
	var data []string
	for {
		line, err := m.reader.ReadString('\n')
		if errors.Is(err, io.EOF) {
			// What the connection was cut in is no event.
			return StreamMessage{}, io.EOF
		}
		if err != nil {
			return StreamMessage{}, NewConnectionError(err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return messageOf(event, id, data)
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			data = append(data, value)
		}
	}
}

func messageOf(event, id string, data []string) (StreamMessage, error) {
	if data == nil {
		return StreamMessage{ResumeAfter: id}, nil
	}
	result := json.RawMessage(strings.Join(data, "\n"))
	if event != "error" {
		return StreamMessage{Result: result, ResumeAfter: id}, nil
	}
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(result, &body); err != nil {
		return StreamMessage{}, NewConnectionError(err)
	}
	if failure := ParseError(body.Error); failure != nil {
		return StreamMessage{}, failure
	}
	return StreamMessage{}, NewConnectionError(errors.New("the stream ended with an error that is not one of the API"))
}
