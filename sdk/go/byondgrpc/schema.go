package byondgrpc

import (
	"fmt"
	"strings"
	"sync"

	"github.com/byond/byond-go/internal/schema"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

type (
	messageDescriptor = protoreflect.MessageDescriptor
	fieldDescriptor   = protoreflect.FieldDescriptor
	procedure         = protoreflect.MethodDescriptor
)

// files are the descriptors, read with the first call. They are not registered: a program may also have generated code of the same schema.
var files = sync.OnceValues(func() (*protoregistry.Files, error) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(schema.Descriptors, set); err != nil {
		return nil, err
	}
	return protodesc.NewFiles(set)
})

func find[Descriptor protoreflect.Descriptor](name string) (Descriptor, error) {
	var none Descriptor
	registry, err := files()
	if err != nil {
		return none, fmt.Errorf("byondgrpc: the schema cannot be read: %w", err)
	}
	found, err := registry.FindDescriptorByName(protoreflect.FullName(name))
	if descriptor, ok := found.(Descriptor); err == nil && ok {
		return descriptor, nil
	}
	return none, fmt.Errorf("byondgrpc: the schema has no %s", name)
}

// findProcedure takes byond.v1.VerifyService/StartVerification.
func findProcedure(rpc string) (procedure, error) {
	return find[procedure](strings.Replace(rpc, "/", ".", 1))
}

// wordsByNumber are the words of enums by their numbers.
var wordsByNumber = sync.OnceValue(func() map[string]map[int32]string {
	enums := map[string]map[int32]string{}
	for name, words := range schema.EnumWords {
		enums[name] = map[int32]string{}
		for word, number := range words {
			enums[name][number] = word
		}
	}
	return enums
})

// wrappedList is the list that a message holds and nothing else, so that it can be unset: REST writes the list itself.
func wrappedList(message messageDescriptor) fieldDescriptor {
	if message == nil || message.Fields().Len() != 1 || strings.HasPrefix(string(message.FullName()), "google.protobuf.") {
		return nil
	}
	if field := message.Fields().Get(0); field.IsList() {
		return field
	}
	return nil
}

// isChoice tells whether a message is one of several messages, and nothing else: REST writes the chosen one.
func isChoice(message messageDescriptor) bool {
	if message.Oneofs().Len() != 1 {
		return false
	}
	for index := range message.Fields().Len() {
		if field := message.Fields().Get(index); field.ContainingOneof() == nil || field.Message() == nil {
			return false
		}
	}
	return true
}

func fieldNamed(message messageDescriptor, name string) fieldDescriptor {
	return message.Fields().ByName(protoreflect.Name(name))
}
