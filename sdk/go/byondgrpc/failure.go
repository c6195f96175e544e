package byondgrpc

import (
	"github.com/byond/byond-go"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
)

// failureOf returns the error of the server, which is a detail of the status, or that of a lost connection.
func failureOf(err error) error {
	descriptor, missing := find[messageDescriptor]("byond.v1.ErrorInfo")
	if missing != nil {
		return missing
	}
	for _, detail := range status.Convert(err).Proto().GetDetails() {
		if detail.MessageName() != descriptor.FullName() {
			continue
		}
		info := dynamicpb.NewMessage(descriptor)
		if proto.Unmarshal(detail.GetValue(), info) != nil {
			continue
		}
		data, marshalError := protojson.MarshalOptions{UseProtoNames: true}.Marshal(info)
		if marshalError != nil {
			continue
		}
		if failure := byond.ParseError(data); failure != nil {
			return failure
		}
	}
	return byond.NewConnectionError(err)
}
