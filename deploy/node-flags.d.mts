export const GATEWAY_FLAGS: readonly string[];
export const GATEWAY_ENVIRONMENT: readonly string[];
