/** How two values of an ordered type, numbers or dates, are compared. */
export type Ordering = "equal" | "less" | "lessOrEqual" | "greater" | "greaterOrEqual";

/** Returns whether the request's value stands to the policy's as `ordering` asks. */
export function isOrdered(ordering: Ordering, comparison: number): boolean {
  switch (ordering) {
    case "equal":
      return comparison === 0;
    case "less":
      return comparison < 0;
    case "lessOrEqual":
      return comparison <= 0;
    case "greater":
      return comparison > 0;
    case "greaterOrEqual":
      return comparison >= 0;
  }
}
