// Peers of the authorizer that are written in Go, each behind the same gRPC server and asked with the same
// bytes as ours. Built by `npm run bench:peers`, started by bench/rows/peers.ts:
//
//	peers no-op
//	peers opa '{"policy":"FILE","jwks":"FILE","issuer":"…","audience":"…"}'
//
// Its first line on stdout is the address that it serves on.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
)

func main() {
	server, err := serverOf(os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	service := grpc.NewServer()
	authv3.RegisterAuthorizationServer(service, server)
	fmt.Println(listener.Addr())
	log.Fatal(service.Serve(listener))
}

func serverOf(args []string) (authv3.AuthorizationServer, error) {
	if len(args) == 1 && args[0] == "no-op" {
		return noOp{}, nil
	}
	if len(args) == 2 && args[0] == "opa" {
		var settings opaSettings
		if err := json.Unmarshal([]byte(args[1]), &settings); err != nil {
			return nil, err
		}
		return newOpa(settings)
	}
	return nil, fmt.Errorf("expected `no-op` or `opa SETTINGS`, got %q", args)
}
