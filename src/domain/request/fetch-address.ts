/** What an address to fetch from is, in words: nothing but loopback is believed without TLS. */
export const fetchAddressWords =
  "an address that begins with `https://`, or with `http://` on loopback";

/**
 * An address to fetch from. Its host is told apart as every reader of URLs tells it: no credentials, which
 * would put another host behind an `@` and a secret into documents, and a port of digits.
 */
export const fetchAddressPattern =
  /^(https:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])|http:\/\/(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?([/?][!-~]*)?$/;
