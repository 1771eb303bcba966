/** Where the quickstart listens. */
export interface Where {
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly diagnostics: { readonly host: string; readonly port: number };
}

/** Returns what to try next, ready to be pasted; `folder` is relative to where the user stands. */
export function hints({ httpPort, tlsPort, diagnostics }: Where, folder: string): string {
  const url = `http://127.0.0.1:${httpPort}`;
  const certificates = `${folder}/certificates`;
  return `It is all up. Try it:

  # ana lists orders, then asks for something nobody allowed her
  curl -i -H "host: orders.example.com" -H "authorization: Bearer $(cat ${folder}/tokens/ana.txt)" ${url}/v1/orders
  curl -i -H "host: orders.example.com" -H "authorization: Bearer $(cat ${folder}/tokens/ana.txt)" -X POST ${url}/v1/orders

  # a workload by its certificate
  curl -i --cacert ${certificates}/ca.pem --cert ${certificates}/checkout.pem --key ${certificates}/checkout-key.pem \\
       --connect-to orders.example.com:443:localhost:${tlsPort} -H "host: orders.example.com" -X POST https://localhost:${tlsPort}/v1/orders

  # give developers "orders:CreateOrder" in ${folder}/documents/policies.yaml, save, and send ana's POST again

  # what was decided and why
  tail -n 1 ${folder}/decisions.jsonl
  npx mesh-iam explain --log ${folder}/decisions.jsonl --id <eventID of that line>

  # the authorizer's own view
  curl -s http://${diagnostics.host}:${diagnostics.port}/status
  curl -s http://${diagnostics.host}:${diagnostics.port}/metrics

Ctrl-C ends it.`;
}
