/** The texts that AWS takes as tags, of entities and of sessions (IAM and STS API References, Tag). */

export const tagKeyPattern = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u;
/** A key that does not begin with `aws:` in any case: those are AWS's own. */
export const ownTagKeyPattern = /^(?![aA][wW][sS]:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u;
export const tagValuePattern = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u;

export const tagKeyWords = "a tag key of 1 to 128 letters, digits, spaces and `_.:/=+@-`";
export const tagValueWords = "a tag value of at most 256 letters, digits, spaces and `_.:/=+@-`";

/** Tags of one entity or session (iam-semantics 2.5). */
export const maxTags = 50;
