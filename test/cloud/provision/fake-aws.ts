/**
 * The calls of AWS IoT, IAM and CloudFormation that onboarding makes, over HTTP, as the services answer them: the state of
 * things, certificates and policies is kept, and what the services refuse is refused. No signature is checked.
 */

import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

interface Certificate {
  id: string;
  arn: string;
  status: string;
  things: Set<string>;
  policies: Set<string>;
}

interface Answer {
  status: number;
  body: unknown;
  error?: string;
}

const FIXTURES = "test/cloud/provision/fixtures";
const ARN = "arn:aws:iot:us-east-1:123456789012";

export class FakeAws {
  readonly things = new Map<string, Record<string, string>>();
  readonly certificates = new Map<string, Certificate>();
  readonly policies = new Set(["windfarm-dev-gateway"]);
  /** Stacks by name, with their outputs. */
  readonly stacks = new Map<string, Record<string, string>>();
  /** Role aliases with their roles' names, and inline policies by role and name. */
  readonly roleAliases = new Map([["windfarm-dev-gateway", "windfarm-dev-pipeline-GatewayRole"]]);
  readonly rolePolicies = new Map<string, string>();
  /** Calls that changed something, in order. */
  readonly changes: string[] = [];
  /** Answers this call with an error instead, once. */
  failOnce: { call: string; error: string } | undefined;
  /** So many times detaching is still under way when something is to be deleted. */
  detachLag = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new RangeError("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  deploy(stack: string, outputs: Record<string, string>): void {
    this.stacks.set(stack, outputs);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    if (request.method === "POST" && request.url === "/") {
      const form = new URLSearchParams(text);
      if (form.get("Action") === "DescribeStacks") this.#cloudFormation(form, response);
      else this.#iam(form, response);
      return;
    }
    const { status, body, error } = this.#iot(request, text);
    response.writeHead(status, {
      "content-type": "application/json",
      ...(error === undefined ? {} : { "x-amzn-errortype": error }),
    });
    response.end(JSON.stringify(body));
  }

  #iot(request: IncomingMessage, text: string): Answer {
    const url = new URL(request.url ?? "/", "http://fake");
    const call = `${request.method} ${url.pathname}`;
    const [, kind = "", name = "", part = ""] = url.pathname.split("/").map(decodeURIComponent);
    if (this.failOnce !== undefined && call.startsWith(this.failOnce.call)) {
      const { error } = this.failOnce;
      this.failOnce = undefined;
      return refused(error === "AccessDeniedException" ? 403 : 400, error, "as the test asked");
    }
    const readOnly = request.method === "GET" || kind === "attached-policies";
    const answer = this.#answer(request, url, kind, name, part, text);
    if (!readOnly && answer.status === 200) this.changes.push(call);
    return answer;
  }

  #answer(
    request: IncomingMessage,
    url: URL,
    kind: string,
    name: string,
    part: string,
    text: string,
  ): Answer {
    const { method = "" } = request;
    const principal = String(request.headers["x-amzn-principal"] ?? "");
    switch (`${method} ${kind}${part === "" ? "" : `/${part}`}`) {
      case "GET endpoint":
        return ok({
          endpointAddress: `c0ffee.${url.searchParams.get("endpointType") === "iot:CredentialProvider" ? "credentials." : ""}iot.us-east-1.amazonaws.com`,
        });
      case "GET things":
        return this.#describeThing(name);
      case "POST things":
        this.things.set(name, JSON.parse(text).attributePayload.attributes);
        return ok({ thingName: name });
      case "DELETE things":
        return this.#deleteThing(name);
      case "GET things/principals":
        return ok({ principals: this.#of(name).map(({ arn }) => arn) });
      case "PUT things/principals":
        return this.#with(principal, ({ things }) => things.add(name));
      case "DELETE things/principals":
        return this.#with(principal, ({ things }) => things.delete(name));
      case "GET principals":
        return this.#with(principal, ({ things }) => ({ things: [...things] }));
      case "POST keys-and-certificate":
        return ok(this.#create(url.searchParams.get("setAsActive") === "true"));
      case "POST certificates":
        return ok(this.#answerRequest(JSON.parse(text).certificateSigningRequest));
      case "GET role-aliases": {
        const role = this.roleAliases.get(name);
        if (role === undefined) return missing(name);
        return ok({ roleAliasDescription: { roleArn: `arn:aws:iam::123456789012:role/${role}` } });
      }
      case "GET certificates":
        return this.#with(name, ({ id, arn, status }) => ({
          certificateDescription: { certificateId: id, certificateArn: arn, status },
        }));
      case "PUT certificates":
        return this.#with(name, (certificate) => {
          certificate.status = url.searchParams.get("newStatus") ?? "";
        });
      case "DELETE certificates":
        return this.#deleteCertificate(name);
      case "PUT target-policies":
        if (!this.policies.has(name)) return missing(name);
        return this.#with(JSON.parse(text).target, ({ policies }) => policies.add(name));
      case "POST target-policies":
        return this.#with(JSON.parse(text).target, ({ policies }) => policies.delete(name));
      case "POST attached-policies":
        return this.#with(url.pathname.slice("/attached-policies/".length), ({ policies }) => ({
          policies: [...policies].map((policyName) => ({ policyName })),
        }));
      default:
        return refused(400, "InvalidRequestException", `no such call: ${method} ${url.pathname}`);
    }
  }

  #describeThing(name: string): Answer {
    const attributes = this.things.get(name);
    return attributes === undefined ? missing(name) : ok({ thingName: name, attributes });
  }

  #of(thing: string): Certificate[] {
    return [...this.certificates.values()].filter(({ things }) => things.has(thing));
  }

  /** A certificate by its id or its ARN, encoded or not. */
  #with(idOrArn: string, act: (certificate: Certificate) => unknown): Answer {
    const certificate = this.certificates.get(decodeURIComponent(idOrArn).split("/").at(-1) ?? "");
    if (certificate === undefined) return missing(idOrArn);
    const answer = act(certificate);
    return ok(typeof answer === "object" ? answer : {});
  }

  /** The one request of the fixtures, for whose key they hold a certificate. */
  #answerRequest(request: string) {
    const known = request.trim() === readFileSync(`${FIXTURES}/gw-01.csr`, "utf8").trim();
    const certificatePem = known ? readFileSync(`${FIXTURES}/gw-01.pem`, "utf8") : "of another key";
    const { id, arn } = this.#keep(randomBytes(16).toString("hex"), false);
    return { certificateArn: arn, certificateId: id, certificatePem };
  }

  #keep(secret: string, active: boolean): Certificate {
    const id = createHash("sha256").update(secret).digest("hex");
    const certificate = {
      id,
      arn: `${ARN}:cert/${id}`,
      status: active ? "ACTIVE" : "INACTIVE",
      things: new Set<string>(),
      policies: new Set<string>(),
    };
    this.certificates.set(id, certificate);
    return certificate;
  }

  #create(active: boolean) {
    const secret = randomBytes(16).toString("hex");
    const { id } = this.#keep(secret, active);
    const certificate = { arn: `${ARN}:cert/${id}` };
    return {
      certificateArn: certificate.arn,
      certificateId: id,
      certificatePem: `-----BEGIN CERTIFICATE-----\n${secret}\n-----END CERTIFICATE-----\n`,
      keyPair: { PrivateKey: `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----\n` },
    };
  }

  #deleteThing(name: string): Answer {
    if (this.#of(name).length > 0) return refused(400, "InvalidRequestException", "a principal is attached");
    this.things.delete(name);
    return ok({});
  }

  #deleteCertificate(id: string): Answer {
    const certificate = this.certificates.get(id);
    if (certificate === undefined) return missing(id);
    if (certificate.status === "ACTIVE")
      return refused(406, "CertificateStateException", "the certificate is active");
    if (certificate.things.size > 0 || certificate.policies.size > 0 || this.detachLag-- > 0) {
      return refused(409, "DeleteConflictException", "something is attached");
    }
    this.certificates.delete(id);
    return ok({});
  }

  #iam(form: URLSearchParams, response: ServerResponse): void {
    const action = form.get("Action") ?? "";
    const policy = `${form.get("RoleName")}/${form.get("PolicyName")}`;
    const document = form.get("PolicyDocument");
    if (action === "PutRolePolicy" && document !== null) {
      this.rolePolicies.set(policy, document);
      this.changes.push(`PutRolePolicy ${policy}`);
      response.writeHead(200, { "content-type": "text/xml" });
      response.end("<PutRolePolicyResponse/>");
      return;
    }
    const held = this.rolePolicies.get(policy);
    response.writeHead(held === undefined ? 404 : 200, { "content-type": "text/xml" });
    response.end(
      held === undefined
        ? "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no such policy</Message></Error></ErrorResponse>"
        : `<GetRolePolicyResponse><GetRolePolicyResult><PolicyDocument>${encodeURIComponent(held)}</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>`,
    );
  }

  #cloudFormation(form: URLSearchParams, response: ServerResponse): void {
    const name = form.get("StackName") ?? "";
    const outputs = this.stacks.get(name);
    response.writeHead(outputs === undefined ? 400 : 200, { "content-type": "text/xml" });
    if (outputs === undefined) {
      response.end(
        `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
      );
      return;
    }
    const members = Object.entries(outputs).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    );
    response.end(
      `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><Outputs>${members.join("")}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function missing(what: string): Answer {
  return refused(404, "ResourceNotFoundException", `no ${what}`);
}

function refused(status: number, error: string, message: string): Answer {
  return { status, error, body: { message } };
}
