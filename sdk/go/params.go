package byond

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// encodeParams turns a struct of parameters, or nil, into the JSON of REST. Optional parameters (omitzero) that are not set are absent.
func encodeParams(params any) map[string]any {
	value := reflect.ValueOf(params)
	if !value.IsValid() || value.Kind() == reflect.Pointer && value.IsNil() {
		return map[string]any{}
	}
	return encodeStruct(reflect.Indirect(value))
}

func encodeStruct(value reflect.Value) map[string]any {
	members := map[string]any{}
	for index := range value.NumField() {
		name, options, _ := strings.Cut(value.Type().Field(index).Tag.Get("json"), ",")
		field := value.Field(index)
		if strings.Contains(options, "omitzero") && field.IsZero() {
			continue
		}
		members[name] = encodeValue(field)
	}
	return members
}

func encodeValue(value reflect.Value) any {
	switch plain := value.Interface().(type) {
	case time.Time:
		return plain.UTC().Format(time.DateOnly + "T" + time.TimeOnly + "Z")
	case []byte:
		return base64.StdEncoding.EncodeToString(plain)
	case int64:
		return fmt.Sprint(plain)
	}
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return nil
		}
		return encodeValue(value.Elem())
	case reflect.Struct:
		return encodeStruct(value)
	case reflect.Slice:
		elements := make([]any, value.Len())
		for index := range elements {
			elements[index] = encodeValue(value.Index(index))
		}
		return elements
	case reflect.Map:
		members := map[string]any{}
		for entries := value.MapRange(); entries.Next(); {
			members[entries.Key().String()] = encodeValue(entries.Value())
		}
		return members
	case reflect.String:
		// Enums are texts of a type of their own.
		return value.String()
	default:
		return value.Interface()
	}
}
