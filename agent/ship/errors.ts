/**
 * Everything that can go wrong between the agent and the stream, told as the operator should hear it.
 * Nothing here ends the shipping: each of these is tried again, for ever, and the readings wait on the disk.
 */

import { codeOf, Fault, messageOf } from "../errors.ts";
import type { StreamSettings } from "./settings.ts";

export type ShipFaultCode = keyof typeof CATALOGUE;

interface Entry {
  what: string;
  hint: string;
  /** Of the system errors, TLS errors and service exceptions that mean it here. */
  names?: string;
}

type Place = Pick<StreamSettings, "stream" | "region" | "endpoint">;

const CATALOGUE = {
  "ship.dns": {
    what: "the endpoint's name can't be resolved",
    hint: "Check the gateway's network and DNS, and kinesis.endpoint and kinesis.region for typos.",
    names: "ENOTFOUND EAI_AGAIN EAI_FAIL EAI_NODATA",
  },
  "ship.refused": {
    what: "the endpoint refuses the connection",
    hint: "Nothing is listening there: check kinesis.endpoint and the firewall, or start the local cloud.",
    names: "ECONNREFUSED",
  },
  "ship.unreachable": {
    what: "there is no route to the endpoint",
    hint: "Check the gateway's link, address and route.",
    names: "EHOSTUNREACH ENETUNREACH ENETDOWN EADDRNOTAVAIL",
  },
  "ship.timeout": {
    what: "no answer in time",
    hint: "The link is down or very slow, or a firewall drops the packets; see kinesis.request_timeout.",
    names: "ETIMEDOUT ESOCKETTIMEDOUT TimeoutError AbortError",
  },
  "ship.connection_lost": {
    what: "the connection was closed before the response",
    hint: "Usually the link or a proxy; what was in flight is sent again.",
    names: "ECONNRESET ERR_STREAM_PREMATURE_CLOSE ECONNABORTED EPIPE",
  },
  "ship.proxy": {
    what: "the proxy lets nothing through",
    hint: "Check kinesis.proxy or HTTPS_PROXY, the proxy's login, and that it allows CONNECT to port 443; NO_PROXY bypasses it.",
    names: "EPROXY",
  },
  "ship.tls": {
    what: "the endpoint's certificate is not trusted",
    hint: "A proxy intercepts TLS, a CA certificate is missing (NODE_EXTRA_CA_CERTS), or https is used on an http port.",
  },
  "ship.clock": {
    what: "the gateway's clock is wrong",
    hint: "Check `timedatectl` and NTP; shipping resumes by itself once the clock is right.",
    names:
      "CERT_NOT_YET_VALID CERT_HAS_EXPIRED CRL_NOT_YET_VALID RequestTimeTooSkewed RequestExpired RequestInTheFuture",
  },
  "ship.credentials_missing": {
    what: "no usable AWS credentials",
    hint: "Set kinesis.credentials, or the default chain: environment, shared files, instance role.",
    names: "CredentialsProviderError TokenProviderError ProviderError MissingAuthenticationTokenException",
  },
  "ship.credentials_expired": {
    what: "the AWS credentials have expired",
    hint: "Renew the session; the agent can't renew temporary credentials that are configured as static ones.",
    names: "ExpiredTokenException ExpiredToken",
  },
  "ship.credentials_invalid": {
    what: "the AWS credentials are not accepted",
    hint: "The access key is unknown or inactive, or the secret does not belong to it.",
    names:
      "UnrecognizedClientException InvalidClientTokenId InvalidSignatureException IncompleteSignatureException SignatureDoesNotMatch InvalidAccessKeyId",
  },
  "ship.credentials_file": {
    what: "a certificate or key file can't be used",
    hint: "Check the paths in kinesis.credentials and that the agent's user may read them.",
  },
  "ship.iot_refused": {
    what: "the IoT credentials provider refuses the device",
    hint: "Check that the certificate is active, its policy allows iot:AssumeRoleWithCertificate on the role alias, and that the names of the thing and the alias are right.",
  },
  "ship.role_alias_missing": {
    what: "the role alias does not exist",
    hint: "Compare kinesis.credentials.iot.role_alias, and the region and account of its endpoint, with what npm run provision wrote.",
  },
  "ship.access_denied": {
    what: "the AWS identity may not write to the stream",
    hint: "Allow kinesis:PutRecords on the stream, and kms:GenerateDataKey on its key if it is encrypted.",
    names: "NotAuthorizedException AccessDeniedException AccessDenied OptInRequired",
  },
  "ship.stream_missing": {
    what: "the stream does not exist",
    hint: "Check kinesis.stream, kinesis.region and the account; or deploy the cloud's data stack.",
    names: "ResourceNotFoundException ResourceInUseException",
  },
  "ship.throttled": {
    what: "more is sent than the stream accepts",
    hint: "It catches up by itself; if this lasts, give the stream more shards or on-demand capacity.",
    names:
      "ProvisionedThroughputExceededException KMSThrottlingException ThrottlingException Throttling LimitExceededException TooManyRequestsException",
  },
  "ship.encryption": {
    what: "the stream's encryption key can't be used",
    hint: "Check the state of the KMS key and that its policy lets this identity use it.",
    names:
      "KMSAccessDeniedException KMSDisabledException KMSInvalidStateException KMSNotFoundException KMSOptInRequired",
  },
  "ship.service": {
    what: "Kinesis has an internal error",
    hint: "Nothing to do here; look at the AWS Health Dashboard if it lasts.",
    names:
      "InternalFailure InternalFailureException InternalServerError ServiceUnavailable ServiceUnavailableException",
  },
  "ship.invalid_request": {
    what: "Kinesis does not accept the request",
    hint: "Is kinesis.endpoint really a Kinesis endpoint? Otherwise please report it; the readings stay in the buffer.",
    names:
      "HPE_INVALID_CONSTANT ERR_ANSWER_TOO_LONG ValidationException InvalidArgumentException SerializationException UnknownOperationException",
  },
  "ship.unknown": {
    what: "sending failed",
    hint: "The readings stay in the buffer; `windfarm doctor` tests each step separately.",
  },
} as const satisfies Record<string, Entry>;

const MEANING: ReadonlyMap<string, ShipFaultCode> = new Map(
  Object.entries<Entry>(CATALOGUE).flatMap(([code, { names }]) =>
    (names?.split(" ") ?? []).map((name) => [name, code as ShipFaultCode]),
  ),
);

/** Clocks further apart than this make signatures worthless, ms (the service allows five minutes). */
const CLOCK_TOLERANCE_MS = 4 * 60_000;

/** A fault of `code`; `detail` is what the other side or the system said. */
export function shipFault(code: ShipFaultCode, detail: string, place: Place, cause?: unknown): Fault {
  const { what, hint } = CATALOGUE[code];
  return new Fault(code, `Nothing reaches ${name(place)}: ${what} (${shorten(detail)})`, {
    hint,
    retry: true,
    cause,
  });
}

/** What went wrong in a few words, where `code` is in this catalogue: "the endpoint refuses the connection". */
export function causeOf(code: string): string | undefined {
  return Object.entries(CATALOGUE).find(([known]) => known === code)?.[1].what;
}

/** What an attempt to send came to grief on. `nowMs`: the gateway's clock, to be held against the service's. */
export function classify(error: unknown, place: Place, nowMs: number): Fault {
  if (error instanceof Fault) return error;
  const skewMs = skewOf(error, nowMs);
  const code = meaningOf(error);
  if (code === "ship.credentials_invalid" && Math.abs(skewMs) > CLOCK_TOLERANCE_MS) {
    return shipFault("ship.clock", clockDetail(skewMs), place, error);
  }
  return shipFault(code, detailOf(error), place, error);
}

/** The fault behind the error codes of single records in an otherwise good answer. */
export function classifyRecords(errorCodes: readonly string[], place: Place): Fault {
  const throttled = errorCodes.find(isThrottling);
  const code = throttled ?? errorCodes[0] ?? "no error code";
  return shipFault(MEANING.get(code) ?? "ship.service", `${errorCodes.length} records: ${code}`, place);
}

/** Whether a record with this error code was refused because more is sent than the stream accepts. */
export function isThrottling(errorCode: string): boolean {
  return MEANING.get(errorCode) === "ship.throttled";
}

/** What the names of an error, or of what caused it, mean here. */
export function meaningOf(error: unknown): ShipFaultCode {
  for (let each: unknown = error, depth = 0; each !== undefined && depth < 5; depth++) {
    const found = known(codeOf(each)) ?? known(each instanceof Error ? each.name : undefined);
    if (found !== undefined) return found;
    each = first(each) ?? (each instanceof Error ? each.cause : undefined);
  }
  const status = statusOf(error);
  if (status === 429) return "ship.throttled";
  if (status === 403) return "ship.access_denied";
  if (status !== undefined && status >= 500) return "ship.service";
  if (status !== undefined && status >= 400) return "ship.invalid_request";
  return "ship.unknown";
}

function known(text: string | undefined): ShipFaultCode | undefined {
  if (text === undefined || MEANING.has(text)) return MEANING.get(text ?? "");
  if (/^(ERR_TLS|ERR_SSL|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|EPROTO)/.test(text)) return "ship.tls";
  return undefined;
}

/** Of several errors in one (an address tried over IPv6 and IPv4) the first. */
function first(error: unknown): unknown {
  return error instanceof AggregateError ? error.errors[0] : undefined;
}

function statusOf(error: unknown): number | undefined {
  const metadata = field(error, "$metadata");
  const status = field(metadata, "httpStatusCode");
  return typeof status === "number" ? status : undefined;
}

/** How far the service's clock is ahead of ours, ms; 0 where it did not say. */
function skewOf(error: unknown, nowMs: number): number {
  const date = field(field(field(error, "$response"), "headers"), "date");
  const serverMs = typeof date === "string" ? Date.parse(date) : Number.NaN;
  return Number.isNaN(serverMs) ? 0 : serverMs - nowMs;
}

function clockDetail(skewMs: number): string {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `it is ${minutes} min ${skewMs > 0 ? "behind" : "ahead of"} the service's`;
}

function detailOf(error: unknown): string {
  const message = messageOf(first(error) ?? error);
  const named = error instanceof Error && error.name !== "Error" && error.name !== "AggregateError";
  return named ? `${error.name}: ${message}` : message;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && key in value ? Reflect.get(value, key) : undefined;
}

function name(place: Place): string {
  return `stream ${place.stream} in ${place.region}${place.endpoint === undefined ? "" : ` at ${place.endpoint}`}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
