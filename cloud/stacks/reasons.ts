/** Reasons that more than one acknowledgement gives. */

export const GLUE_LOGS =
  "Glue puts the names of its log groups together from the security configuration and the role.";
export const SECURITY_CONFIGURATIONS =
  "Reading a security configuration can't be narrowed to one; it says which keys encrypt, and opens nothing.";
