package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/byond/byond-go"
)

type runner struct {
	operations map[string]operation
	options    []byond.ClientOption
}

type step struct {
	Call       string            `json:"call"`
	Iterate    string            `json:"iterate"`
	Stream     string            `json:"stream"`
	Helper     string            `json:"helper"`
	As         *clientSettings   `json:"as"`
	With       object            `json:"with"`
	Options    callOptions       `json:"options"`
	Take       *int              `json:"take"`
	Eventually bool              `json:"eventually"`
	Repeat     int               `json:"repeat"`
	Expect     any               `json:"expect"`
	Error      object            `json:"error"`
	Save       map[string]string `json:"save"`
}

// runCase returns what is wrong; nothing if the case passes.
func (r *runner) runCase(one testCase) string {
	saved := object{}
	client := r.client(one.Client)
	for index, template := range one.Steps {
		var repeat struct {
			Repeat int `json:"repeat"`
		}
		if err := json.Unmarshal(template, &repeat); err != nil {
			return err.Error()
		}
		for range max(repeat.Repeat, 1) {
			current, err := readStep(template, saved)
			if err != nil {
				return err.Error()
			}
			chosen := client
			if current.As != nil {
				chosen = r.client(*current.As)
			}
			problem := r.runStep(chosen, current, saved)
			for end := time.Now().Add(10 * time.Second); problem != "" && current.Eventually && time.Now().Before(end); {
				time.Sleep(100 * time.Millisecond)
				problem = r.runStep(chosen, current, saved)
			}
			if problem != "" {
				name := current.Call + current.Iterate + current.Stream + current.Helper
				return fmt.Sprintf("step %d (%s): %s", index+1, name, problem)
			}
		}
	}
	return ""
}

// runStep returns what is wrong; nothing if the step does what it should. Keeps what it saves.
func (r *runner) runStep(client *byond.Client, current step, saved object) string {
	value, err := r.carryOut(client, current)
	outcome := toJSON(value)
	var expected any = current.Expect
	if current.Error != nil {
		failure := (*byond.Error)(nil)
		if err == nil {
			return fmt.Sprintf("it did not fail, but returned %v", outcome)
		}
		if !errors.As(err, &failure) {
			return err.Error()
		}
		outcome, expected = toJSON(errorValues(failure)), current.Error
	} else if err != nil {
		return err.Error()
	}
	if problem := problemOf(outcome, expected, ""); problem != "" {
		return problem
	}
	for name, path := range current.Save {
		part, err := partOf(outcome, path)
		if err != nil {
			return err.Error()
		}
		saved[name] = part
	}
	return ""
}

func errorValues(failure *byond.Error) object {
	values := object{"code": failure.Code, "message": failure.Message}
	if failure.Status != 0 {
		values["status"] = failure.Status
	}
	if failure.Fields != nil {
		values["fields"] = failure.Fields
	}
	if failure.RequestID != "" {
		values["request_id"] = failure.RequestID
	}
	if failure.RetryAfter != 0 {
		values["retry_after"] = failure.RetryAfter.Seconds()
	}
	if failure.RequiredScope != "" {
		values["required_scope"] = failure.RequiredScope
	}
	if failure.Reason != "" {
		values["reason"] = failure.Reason
	}
	if failure.Spent != "" {
		values["spent"] = failure.Spent
	}
	if !failure.ResetsAt.IsZero() {
		values["resets_at"] = failure.ResetsAt
	}
	return values
}

func partOf(value any, path string) (any, error) {
	if path == "" {
		return value, nil
	}
	for key := range strings.SplitSeq(path, ".") {
		switch parent := value.(type) {
		case object:
			value = parent[key]
		case []any:
			index, err := strconv.Atoi(key)
			if err != nil || index >= len(parent) {
				return nil, fmt.Errorf("there is no %s in %v", path, value)
			}
			value = parent[index]
		default:
			return nil, fmt.Errorf("there is no %s in %v", path, value)
		}
	}
	return value, nil
}

var (
	reference      = regexp.MustCompile(`\$\{(\w+)\}`)
	wholeReference = regexp.MustCompile(`^\$\{(\w+)\}$`)
)

func readStep(template json.RawMessage, saved object) (step, error) {
	var current step
	var plain any
	if err := json.Unmarshal(template, &plain); err != nil {
		return current, err
	}
	data, err := json.Marshal(fillIn(plain, saved))
	if err != nil {
		return current, err
	}
	return current, json.Unmarshal(data, &current)
}

// fillIn replaces ${name} in all texts of a value. A text that is nothing else becomes the value itself.
func fillIn(template any, saved object) any {
	switch value := template.(type) {
	case string:
		if whole := wholeReference.FindStringSubmatch(value); whole != nil {
			if known, ok := saved[whole[1]]; ok {
				return known
			}
		}
		return reference.ReplaceAllStringFunc(value, func(text string) string {
			if known, ok := saved[text[2:len(text)-1]]; ok {
				return fmt.Sprint(known)
			}
			return text
		})
	case []any:
		filled := make([]any, len(value))
		for index, element := range value {
			filled[index] = fillIn(element, saved)
		}
		return filled
	case object:
		filled := object{}
		for name, member := range value {
			filled[name] = fillIn(member, saved)
		}
		return filled
	}
	return template
}

// toJSON is what a value is in the JSON of the API.
func toJSON(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		panic(err)
	}
	return plain
}
