package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/byond/byond-go"
)

type clientSettings struct {
	BaseURL      string            `json:"base_url"`
	APIKey       string            `json:"api_key"`
	AccessToken  string            `json:"access_token"`
	Mode         byond.Mode        `json:"mode"`
	SignRequests bool              `json:"sign_requests"`
	MaxRetries   *int              `json:"max_retries"`
	TimeoutMs    int               `json:"timeout_ms"`
	Headers      map[string]string `json:"headers"`
}

type callOptions struct {
	IdempotencyKey string `json:"idempotency_key"`
	MaxRetries     *int   `json:"max_retries"`
	TimeoutMs      int    `json:"timeout_ms"`
}

func (r *runner) client(settings clientSettings) *byond.Client {
	options := slices.Clone(r.options)
	options = append(options, byond.WithBaseURL(settings.BaseURL))
	if settings.APIKey != "" {
		options = append(options, byond.WithAPIKey(settings.APIKey))
	}
	if settings.AccessToken != "" {
		options = append(options, byond.WithAccessToken(settings.AccessToken))
	}
	if settings.Mode != "" {
		options = append(options, byond.WithMode(settings.Mode))
	}
	if settings.SignRequests {
		options = append(options, byond.WithSignedRequests())
	}
	if settings.MaxRetries != nil {
		options = append(options, byond.WithMaxRetries(*settings.MaxRetries))
	}
	if settings.TimeoutMs != 0 {
		options = append(options, byond.WithTimeout(time.Duration(settings.TimeoutMs)*time.Millisecond))
	}
	for name, value := range settings.Headers {
		options = append(options, byond.WithHeader(name, value))
	}
	return byond.New(options...)
}

func (o callOptions) list() []byond.CallOption {
	options := []byond.CallOption{}
	if o.IdempotencyKey != "" {
		options = append(options, byond.WithIdempotencyKey(o.IdempotencyKey))
	}
	if o.MaxRetries != nil {
		options = append(options, byond.WithMaxRetries(*o.MaxRetries))
	}
	if o.TimeoutMs != 0 {
		options = append(options, byond.WithTimeout(time.Duration(o.TimeoutMs)*time.Millisecond))
	}
	return options
}

func (r *runner) carryOut(client *byond.Client, current step) (any, error) {
	switch {
	case current.Helper != "":
		return callHelper(current)
	case current.Call != "":
		results, err := r.callMethod(client, current.Call, "", current)
		if err != nil {
			return nil, err
		}
		if err, _ := results[1].Interface().(error); err != nil {
			return nil, err
		}
		return asBody(results[0]), nil
	case current.Iterate != "":
		results, err := r.callMethod(client, current.Iterate, "All", current)
		if err != nil {
			return nil, err
		}
		return collect(results[0], current.Take)
	default:
		results, err := r.callMethod(client, current.Stream, "", current)
		if err != nil {
			return nil, err
		}
		return collect(results[0].MethodByName("All").Call(nil)[0], current.Take)
	}
}

// asBody is the value that has the JSON of an answer: a page has no JSON of its own.
func asBody(value reflect.Value) any {
	items := value.Elem().FieldByName("Items")
	if !items.IsValid() {
		return value.Interface()
	}
	body := object{"items": items.Interface(), "next_page_token": nil}
	if token := value.Elem().FieldByName("NextPageToken").String(); token != "" {
		body["next_page_token"] = token
	}
	return body
}

// collect reads an iter.Seq2[*T, error].
func collect(sequence reflect.Value, take *int) ([]any, error) {
	elements := []any{}
	for element, failure := range sequence.Seq2() {
		if err, _ := failure.Interface().(error); err != nil {
			return nil, err
		}
		elements = append(elements, element.Interface())
		if take != nil && len(elements) == *take {
			break
		}
	}
	return elements, nil
}

// callMethod calls verify.start, or with infix All the method that goes through all pages: webhooks.list_deliveries is Webhooks.ListAllDeliveries.
func (r *runner) callMethod(client *byond.Client, id, infix string, current step) ([]reflect.Value, error) {
	serviceName, methodName, _ := strings.Cut(id, ".")
	if infix != "" {
		verb, _, _ := strings.Cut(methodName, "_")
		methodName = verb + infix + strings.TrimPrefix(methodName, verb)
	}
	service := reflect.ValueOf(client.Services).FieldByNameFunc(func(name string) bool { return isSame(name, serviceName) })
	method := reflect.Value{}
	for index := range service.NumMethod() {
		if isSame(service.Type().Method(index).Name, methodName) {
			method = service.Method(index)
		}
	}
	if !method.IsValid() {
		return nil, fmt.Errorf("there is no method %s.%s", serviceName, methodName)
	}
	arguments := []reflect.Value{reflect.ValueOf(context.Background())}
	others := object{}
	for name, value := range current.With {
		if !slices.Contains(r.operations[id].Path, name) {
			others[name] = value
		}
	}
	for _, name := range r.operations[id].Path {
		arguments = append(arguments, reflect.ValueOf(current.With[name]))
	}
	if method.Type().NumIn() > len(arguments)+1 {
		params, err := readParams(method.Type().In(len(arguments)), others)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, params)
	}
	return method.CallSlice(append(arguments, reflect.ValueOf(current.Options.list()))), nil
}

func isSame(goName, name string) bool {
	return strings.EqualFold(goName, strings.ReplaceAll(name, "_", ""))
}

// readParams makes a pointer to a struct of parameters.
func readParams(pointer reflect.Type, values object) (reflect.Value, error) {
	data, err := json.Marshal(values)
	if err != nil {
		return reflect.Value{}, err
	}
	params := reflect.New(pointer.Elem())
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return params, decoder.Decode(params.Interface())
}

func callHelper(current step) (any, error) {
	text := func(name string) string {
		value, _ := current.With[name].(string)
		return value
	}
	body, secret := []byte(text("body")), text("secret")
	switch current.Helper {
	case "verify_webhook":
		header := http.Header{}
		headers, _ := current.With["headers"].(object)
		for name, value := range headers {
			header.Set(name, fmt.Sprint(value))
		}
		return byond.VerifyWebhook(header, body, secret)
	case "sign_webhook":
		header, err := byond.SignWebhook(text("id"), body, secret, time.Now())
		if err != nil {
			return nil, err
		}
		return byond.VerifyWebhook(header, body, secret)
	case "sandbox_code":
		length, _ := current.With["code_length"].(float64)
		return byond.SandboxCode(int(length)), nil
	}
	return nil, fmt.Errorf("there is no helper %s", current.Helper)
}
