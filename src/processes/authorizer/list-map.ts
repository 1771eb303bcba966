interface Node<K, V> {
  value: V | undefined;
  readonly longer: Map<K, Node<K, V>>;
}

/**
 * Values by lists of keys. Keys are compared by identity, one by one: no joined text stands for a list,
 * so no two lists share a value by accident. `V` is never undefined.
 */
export class ListMap<K, V> {
  readonly #root: Node<K, V> = { value: undefined, longer: new Map() };

  /** Returns the value of the list `keys`, made by the first call for it. */
  get(keys: readonly K[], make: () => V): V {
    let node = this.#root;
    for (const key of keys) {
      let next = node.longer.get(key);
      if (next === undefined) {
        next = { value: undefined, longer: new Map() };
        node.longer.set(key, next);
      }
      node = next;
    }
    node.value ??= make();
    return node.value;
  }
}
