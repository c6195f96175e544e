package byondgrpc

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/byond/byond-go/internal/schema"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"
)

// toProtobuf makes a message of the JSON of REST, which writes enums, lists that can be unset, and choices in other ways than protobuf.
func toProtobuf(descriptor messageDescriptor, members map[string]any) (*dynamicpb.Message, error) {
	data, err := json.Marshal(membersToProtobuf(members, descriptor))
	if err != nil {
		return nil, err
	}
	message := dynamicpb.NewMessage(descriptor)
	return message, protojson.Unmarshal(data, message)
}

func membersToProtobuf(members map[string]any, descriptor messageDescriptor) map[string]any {
	converted := map[string]any{}
	for name, value := range members {
		field := fieldNamed(descriptor, name)
		switch {
		case value == nil:
		case field == nil:
			converted[name] = value
		default:
			converted[name] = fieldToProtobuf(value, field)
		}
	}
	return converted
}

func fieldToProtobuf(value any, field fieldDescriptor) any {
	if elements, ok := value.([]any); ok && field.IsList() {
		return mapElements(elements, func(element any) any { return valueToProtobuf(element, field) })
	}
	if members, ok := value.(map[string]any); ok && field.IsMap() {
		return mapMembers(members, func(member any) any { return valueToProtobuf(member, field.MapValue()) })
	}
	return valueToProtobuf(value, field)
}

func valueToProtobuf(value any, field fieldDescriptor) any {
	if enum := field.Enum(); enum != nil {
		word, _ := value.(string)
		if number, ok := schema.EnumWords[string(enum.FullName())][word]; ok {
			return number
		}
		return value
	}
	if list := wrappedList(field.Message()); list != nil {
		return map[string]any{string(list.Name()): fieldToProtobuf(value, list)}
	}
	if members, ok := value.(map[string]any); ok && field.Message() != nil {
		return membersToProtobuf(members, field.Message())
	}
	return value
}

var options = protojson.MarshalOptions{UseProtoNames: true, UseEnumNumbers: true, EmitDefaultValues: true}

// toREST returns the JSON of REST.
func toREST(message *dynamicpb.Message) (map[string]any, error) {
	data, err := options.Marshal(message)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	members := map[string]any{}
	if err := decoder.Decode(&members); err != nil {
		return nil, err
	}
	return membersToREST(members, message.Descriptor()), nil
}

func membersToREST(members map[string]any, descriptor messageDescriptor) map[string]any {
	converted := map[string]any{}
	for index := range descriptor.Fields().Len() {
		field := descriptor.Fields().Get(index)
		converted[string(field.Name())] = fieldToREST(members[string(field.Name())], field)
	}
	return converted
}

func fieldToREST(value any, field fieldDescriptor) any {
	if elements, ok := value.([]any); ok && field.IsList() {
		return mapElements(elements, func(element any) any { return valueToREST(element, field) })
	}
	if members, ok := value.(map[string]any); ok && field.IsMap() {
		return mapMembers(members, func(member any) any { return valueToREST(member, field.MapValue()) })
	}
	return valueToREST(value, field)
}

var fraction = regexp.MustCompile(`\.\d+Z$`)

func valueToREST(value any, field fieldDescriptor) any {
	switch plain := value.(type) {
	case json.Number:
		if enum := field.Enum(); enum != nil {
			return wordOf(string(enum.FullName()), plain)
		}
	case string:
		if isTimestamp(field) {
			return fraction.ReplaceAllString(plain, "Z")
		}
	case map[string]any:
		return messageToREST(plain, field.Message())
	}
	return value
}

func messageToREST(members map[string]any, descriptor messageDescriptor) any {
	if list := wrappedList(descriptor); list != nil {
		elements, ok := members[string(list.Name())]
		if !ok {
			elements = []any{}
		}
		return fieldToREST(elements, list)
	}
	if isChoice(descriptor) {
		for name, value := range members {
			if field := fieldNamed(descriptor, name); field != nil {
				return fieldToREST(value, field)
			}
		}
	}
	return membersToREST(members, descriptor)
}

// wordOf returns the word of a number. Newer servers may have others, which stay numbers, but in quotes: enums are texts.
func wordOf(enum string, number json.Number) string {
	value, err := number.Int64()
	if word, ok := wordsByNumber()[enum][int32(value)]; err == nil && ok {
		return word
	}
	return number.String()
}

func isTimestamp(field fieldDescriptor) bool {
	return field.Message() != nil && field.Message().FullName() == "google.protobuf.Timestamp"
}

func mapElements(elements []any, convert func(any) any) []any {
	converted := make([]any, len(elements))
	for index, element := range elements {
		converted[index] = convert(element)
	}
	return converted
}

func mapMembers(members map[string]any, convert func(any) any) map[string]any {
	converted := make(map[string]any, len(members))
	for name, member := range members {
		converted[name] = convert(member)
	}
	return converted
}
