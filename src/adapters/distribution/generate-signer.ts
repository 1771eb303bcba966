import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createSigner, type Signer } from "../../domain/bundle/ed25519.ts";
import { MeshIamError } from "../../iam/error.ts";

/** Returns a new Ed25519 private key from the system's randomness. */
export function generatePrivateKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

/** Returns a signer of a new key, which nothing but this process ever sees. */
export function generateSigner(): Signer {
  return signerOf(generatePrivateKey());
}

/** Returns the signer of a private key; throws `key-invalid` for one that is not Ed25519. */
export function signerOf(privateKey: KeyObject): Signer {
  const signer = createSigner(privateKey);
  if (signer !== null) return signer;
  throw new MeshIamError("key-invalid", "expected an Ed25519 private key");
}
