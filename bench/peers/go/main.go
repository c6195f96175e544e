// The lookup of Byond with vanguard-go and connect-go: REST, Connect, gRPC and gRPC-Web on one port, with a key whose SHA-256 is
// looked up in a map. Prints its address when it listens.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/vanguard"
	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	lookupv1 "byond.example/bench/gen/byond/v1"
	"byond.example/bench/gen/byond/v1/byondv1connect"
)

type lookupServer struct {
	byondv1connect.UnimplementedLookupServiceHandler
	countryNames map[string]string
}

func (s *lookupServer) LookupNumber(
	_ context.Context,
	request *connect.Request[lookupv1.LookupNumberRequest],
) (*connect.Response[lookupv1.LookupNumberResponse], error) {
	response := &lookupv1.LookupNumberResponse{
		Input:    request.Msg.GetNumber(),
		LineType: lookupv1.LineType_LINE_TYPE_UNKNOWN,
		Source:   lookupv1.LookupSource_LOOKUP_SOURCE_OFFLINE,
	}
	number, err := phonenumbers.Parse(request.Msg.GetNumber(), strings.ToUpper(request.Msg.GetCountry()))
	if err != nil {
		return connect.NewResponse(response), nil
	}
	e164 := phonenumbers.Format(number, phonenumbers.E164)
	national := phonenumbers.Format(number, phonenumbers.NATIONAL)
	region := phonenumbers.GetRegionCodeForNumber(number)
	country := s.countryNames[region]
	response.NumberE164 = &e164
	response.Valid = phonenumbers.IsValidNumber(number)
	response.Possible = phonenumbers.IsPossibleNumber(number)
	response.CountryCode = &region
	response.Country = &country
	response.NationalFormat = &national
	if response.Valid {
		switch phonenumbers.GetNumberType(number) {
		case phonenumbers.MOBILE:
			response.LineType = lookupv1.LineType_LINE_TYPE_MOBILE
		case phonenumbers.FIXED_LINE:
			response.LineType = lookupv1.LineType_LINE_TYPE_FIXED_LINE
		}
		response.PossibleLineTypes = []lookupv1.LineType{response.LineType}
	}
	return connect.NewResponse(response), nil
}

// authenticate admits calls whose key is known, as Byond does: by the hash of what was sent.
func authenticate(keys map[[32]byte]string) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			if _, known := keys[sha256.Sum256([]byte(request.Header().Get("X-API-Key")))]; !known {
				return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("the key is not valid"))
			}
			return next(ctx, request)
		}
	}
}

func run() error {
	names := make(map[string]string)
	for region := range phonenumbers.GetSupportedRegions() {
		if parsed, err := language.ParseRegion(region); err == nil {
			names[region] = display.English.Regions().Name(parsed)
		}
	}
	keys := map[[32]byte]string{sha256.Sum256([]byte(os.Getenv("API_KEY"))): "workspace"}
	path, handler := byondv1connect.NewLookupServiceHandler(
		&lookupServer{countryNames: names},
		connect.WithInterceptors(authenticate(keys)),
	)
	transcoder, err := vanguard.NewTranscoder([]*vanguard.Service{vanguard.NewService(path, handler)})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	// The RPC protocols are connect-go's own; REST is transcoded.
	mux := http.NewServeMux()
	mux.Handle(path, handler)
	mux.Handle("/", transcoder)
	server := &http.Server{Handler: mux, Protocols: protocols}
	return server.Serve(listener)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
