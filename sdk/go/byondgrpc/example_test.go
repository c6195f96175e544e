package byondgrpc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/byond/byond-go"
	"github.com/byond/byond-go/byondgrpc"
)

func Example() {
	transport := byondgrpc.NewTransport()
	defer transport.Close()
	client := byond.New(byond.WithTransport(transport))

	number, err := client.Lookup.Number(context.Background(), &byond.LookupNumberParams{Number: "+6591234567"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(number.Valid, number.LineType)
}
