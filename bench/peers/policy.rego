# Ten rules, the matching one last, in the form that OPA's rule index likes best. `jwks`, `issuer` and
# `audience` are constants that the server adds.
package envoy.authz

default allow := {"allowed": false}

allow := {
	"allowed": true,
	"principal": claims.sub,
	"id": input.headers["x-request-id"],
} if permitted

token := substring(input.headers.authorization, 7, -1) if {
	startswith(input.headers.authorization, "Bearer ")
}

claims := payload if {
	[valid, _, payload] := io.jwt.decode_verify(token, {
		"cert": jwks, "alg": "ES256", "iss": issuer, "aud": audience,
	})
	valid
}

permitted if {
	input.method == "PUT"
	input.parsed_path = ["v1", "shops", _, "orders", _]
	"writers" in claims.groups
}

permitted if {
	input.method == "POST"
	input.parsed_path = ["v1", "shops", _, "orders"]
	"writers" in claims.groups
}

permitted if {
	input.method == "POST"
	input.parsed_path = ["v1", "shops", _, "orders", _, "refund"]
	"finance" in claims.groups
}

permitted if {
	input.method == "POST"
	input.parsed_path = ["v1", "shops", _, "orders", _, "cancel"]
	"writers" in claims.groups
}

permitted if {
	input.method == "GET"
	input.parsed_path = ["v1", "shops"]
	"readers" in claims.groups
}

permitted if {
	input.method == "GET"
	input.parsed_path = ["v1", "shops", _]
	"readers" in claims.groups
}

permitted if {
	input.method == "GET"
	input.parsed_path = ["v1", "reports", _]
	"analysts" in claims.groups
}

permitted if {
	input.method == "GET"
	input.parsed_path = ["v1", "audit"]
	"auditors" in claims.groups
}

permitted if {
	input.method == "DELETE"
	input.parsed_path = ["v1", "shops", _, "orders", _]
	"admins" in claims.groups
}

permitted if {
	input.method == "GET"
	input.parsed_path = ["v1", "shops", _, "orders", _]
	some group in {"readers", "writers", "admins"}
	group in claims.groups
	claims.preferred_username != ""
}
