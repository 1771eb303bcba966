package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown/cache"
)

type opaSettings struct {
	Policy   string `json:"policy"`
	Jwks     string `json:"jwks"`
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
}

// opa decides by Rego in this process. Of a request it is given only what the policy reads, which costs
// less than the conversion that the OPA-Envoy plugin makes; verified tokens are remembered, as ours are.
type opa struct {
	authv3.UnimplementedAuthorizationServer
	query  rego.PreparedEvalQuery
	tokens cache.InterQueryValueCache
}

// The cache for verified tokens is off unless it is asked for.
const cacheConfig = `{"inter_query_builtin_value_cache":{"named":{"io_jwt":{"disabled":false,"max_num_entries":10000}}}}`

func newOpa(settings opaSettings) (*opa, error) {
	ctx := context.Background()
	policy, err := os.ReadFile(settings.Policy)
	if err != nil {
		return nil, err
	}
	jwks, err := os.ReadFile(settings.Jwks)
	if err != nil {
		return nil, err
	}
	config, err := cache.ParseCachingConfig(json.RawMessage(cacheConfig))
	if err != nil {
		return nil, err
	}
	// Constants of the policy, not data: OPA is at its best when it can see them as it compiles.
	module := string(policy) + fmt.Sprintf("\njwks := %q\nissuer := %q\naudience := %q\n",
		string(jwks), settings.Issuer, settings.Audience)
	query, err := rego.New(
		rego.Query("data.envoy.authz.allow"),
		rego.Module("policy.rego", module),
		rego.Store(inmem.New()),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	return &opa{query: query, tokens: cache.NewInterQueryValueCache(ctx, config)}, nil
}

func (o *opa) Check(ctx context.Context, request *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	http := request.GetAttributes().GetRequest().GetHttp()
	path, _, _ := strings.Cut(http.GetPath(), "?")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	parsed := make([]any, len(parts))
	for at, part := range parts {
		parsed[at] = part
	}
	headers := http.GetHeaders()
	input := map[string]any{
		"method":      http.GetMethod(),
		"parsed_path": parsed,
		"headers": map[string]any{
			"authorization": headers["authorization"],
			"x-request-id":  headers["x-request-id"],
		},
	}
	results, err := o.query.Eval(ctx, rego.EvalInput(input), rego.EvalInterQueryBuiltinValueCache(o.tokens))
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return denied(), nil
	}
	answer, _ := results[0].Expressions[0].Value.(map[string]any)
	if answer["allowed"] != true {
		return denied(), nil
	}
	principal, _ := answer["principal"].(string)
	id, _ := answer["id"].(string)
	return allowed(principal, id), nil
}
