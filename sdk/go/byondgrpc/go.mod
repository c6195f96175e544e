module github.com/byond/byond-go/byondgrpc

go 1.26.0

require (
	github.com/byond/byond-go v0.1.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

// For this repository alone: whoever requires this module gets the version above.
replace github.com/byond/byond-go => ../
