// Command test runs the cases of sdk/cases.yaml, as the harness gives them (sdk/test/run.ts), with this SDK. The format is documented at the
// head of that file.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/byond/byond-go"
	"github.com/byond/byond-go/byondgrpc"
)

type object = map[string]any

type input struct {
	Transport  string               `json:"transport"`
	Operations map[string]operation `json:"operations"`
	Cases      []testCase           `json:"cases"`
}

type operation struct {
	Path []string `json:"path"`
}

type testCase struct {
	Name   string            `json:"name"`
	Client clientSettings    `json:"client"`
	Steps  []json.RawMessage `json:"steps"`
}

type result struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var given input
	if err := json.Unmarshal(data, &given); err != nil {
		log.Fatal(err)
	}
	runner := &runner{operations: given.Operations}
	if given.Transport == "grpc" {
		transport := byondgrpc.NewTransport()
		defer transport.Close()
		runner.options = append(runner.options, byond.WithTransport(transport))
	}
	for _, one := range given.Cases {
		outcome := result{Name: one.Name, Status: "passed"}
		if reason := runner.runCase(one); reason != "" {
			outcome.Status, outcome.Reason = "failed", reason
		}
		line, err := json.Marshal(outcome)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(line))
	}
}
