/** What somebody needs to go on by hand. */
export interface Where {
  readonly httpPort: number;
  readonly tlsPort: number;
  readonly diagnostics: { readonly host: string; readonly port: number };
  /** The quickstart's folder, as a shell in the user's folder knows it. */
  readonly folder: string;
  /** How this command line is called there: `npx mesh-iam`. */
  readonly command: string;
}

/** Returns what to try next: each line that is no comment can be pasted into a shell as it is. */
export function hints({ httpPort, tlsPort, diagnostics, folder, command }: Where): string {
  const file = (path: string): string => shellWord(`${folder}/${path}`);
  const ana = `-H "host: orders.example.com" -H "authorization: Bearer $(cat ${file("tokens/ana.txt")})"`;
  const url = `http://127.0.0.1:${httpPort}`;
  const certificates = [
    `--cacert ${file("certificates/ca.pem")}`,
    `--cert ${file("certificates/checkout.pem")}`,
    `--key ${file("certificates/checkout-key.pem")}`,
  ].join(" ");
  const admin = `http://${diagnostics.host}:${diagnostics.port}`;
  return `It is all up. Try it:

  # ana lists orders, then creates one, which nobody allowed her
  curl -i ${ana} ${url}/v1/orders
  curl -i ${ana} -X POST ${url}/v1/orders

  # a workload, by its certificate, creates one
  curl -i ${certificates} -H "host: orders.example.com" -X POST https://127.0.0.1:${tlsPort}/v1/orders

  # now add "orders:CreateOrder" to the actions of orders-read, save, and send ana's POST again
  \${EDITOR:-vi} ${file("documents/policies.yaml")}

  # why the last request was answered as it was; without explain, all that was recorded of it
  ${command} explain --log ${file("decisions.jsonl")}
  tail -n 1 ${file("decisions.jsonl")}

  # the authorizer's own view
  curl -s ${admin}/status
  curl -s ${admin}/metrics

More callers: ${folder}/tokens. Ctrl-C ends it; the next start makes ${folder} anew.`;
}

/** Returns `text` as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
