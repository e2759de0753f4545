/** The IoT registry in the words of onboarding: things, their certificates, the policy. */

import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  type CertificateStatus,
  CreateCertificateFromCsrCommand,
  type CreateCertificateFromCsrCommandOutput,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DeleteThingCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  DescribeRoleAliasCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  paginateListAttachedPolicies,
  paginateListPrincipalThings,
  paginateListThingPrincipals,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { Fault } from "../../agent/errors.ts";

export interface Certificate {
  id: string;
  arn: string;
}

export interface NewCertificate extends Certificate {
  /** PEM. */
  certificate: string;
  /** PEM; AWS keeps no copy. None where the request came from the gateway, which keeps its key. */
  privateKey?: string;
}

const CERTIFICATE_ARN = /^arn:[^:]+:iot:[^:]+:[^:]*:cert\/([0-9a-zA-Z]+)$/;

export class Registry {
  readonly #client: IoTClient;

  constructor(client: IoTClient) {
    this.#client = client;
  }

  /** Host that changes a certificate for temporary credentials; one an account and region. */
  async credentialEndpoint(): Promise<string> {
    const { endpointAddress } = await this.#client.send(
      new DescribeEndpointCommand({ endpointType: "iot:CredentialProvider" }),
    );
    return said(endpointAddress, "the credentials endpoint");
  }

  /** Undefined for a thing there isn't. */
  async attributesOf(thing: string): Promise<Readonly<Record<string, string>> | undefined> {
    const found = await unlessMissing(() =>
      this.#client.send(new DescribeThingCommand({ thingName: thing })),
    );
    return found && (found.attributes ?? {});
  }

  async createThing(thing: string, attributes: Record<string, string>): Promise<void> {
    await this.#client.send(new CreateThingCommand({ thingName: thing, attributePayload: { attributes } }));
  }

  async deleteThing(thing: string): Promise<void> {
    await this.#client.send(new DeleteThingCommand({ thingName: thing }));
  }

  /** The certificates that are attached to a thing. */
  async certificatesOf(thing: string): Promise<Certificate[]> {
    const certificates: Certificate[] = [];
    const pages = paginateListThingPrincipals({ client: this.#client }, { thingName: thing });
    for await (const { principals } of pages) {
      for (const arn of principals ?? []) {
        const id = CERTIFICATE_ARN.exec(arn)?.[1];
        if (id !== undefined) certificates.push({ id, arn });
      }
    }
    return certificates;
  }

  async thingsOf(certificate: Certificate): Promise<string[]> {
    const names: string[] = [];
    const pages = paginateListPrincipalThings({ client: this.#client }, { principal: certificate.arn });
    for await (const { things } of pages) names.push(...(things ?? []));
    return names;
  }

  async policiesOf(certificate: Certificate): Promise<string[]> {
    const names: string[] = [];
    const pages = paginateListAttachedPolicies({ client: this.#client }, { target: certificate.arn });
    for await (const { policies } of pages) {
      for (const { policyName } of policies ?? []) names.push(said(policyName, "an attached policy's name"));
    }
    return names;
  }

  /** Undefined for a certificate there isn't. */
  async statusOf(certificate: Certificate): Promise<CertificateStatus | undefined> {
    const found = await unlessMissing(() =>
      this.#client.send(new DescribeCertificateCommand({ certificateId: certificate.id })),
    );
    return found?.certificateDescription?.status;
  }

  /** Not active yet: a key that got lost on its way to the disk opens nothing. With a request, PEM, AWS never sees the key. */
  async createCertificate(request?: string): Promise<NewCertificate> {
    if (request !== undefined) {
      const command = new CreateCertificateFromCsrCommand({
        certificateSigningRequest: request,
        setAsActive: false,
      });
      return certificateIn(await this.#client.send(command));
    }
    const made = await this.#client.send(new CreateKeysAndCertificateCommand({ setAsActive: false }));
    return { ...certificateIn(made), privateKey: said(made.keyPair?.PrivateKey, "the private key") };
  }

  /** The role that a role alias stands for, by its name; undefined for an alias there isn't. */
  async roleBehind(alias: string): Promise<string | undefined> {
    const found = await unlessMissing(() =>
      this.#client.send(new DescribeRoleAliasCommand({ roleAlias: alias })),
    );
    return found && said(found.roleAliasDescription?.roleArn, "the role's ARN").split("/").at(-1);
  }

  async setStatus({ id }: Certificate, status: CertificateStatus): Promise<void> {
    await this.#client.send(new UpdateCertificateCommand({ certificateId: id, newStatus: status }));
  }

  async deleteCertificate({ id }: Certificate): Promise<void> {
    await this.#client.send(new DeleteCertificateCommand({ certificateId: id }));
  }

  async attachPolicy(policy: string, { arn }: Certificate): Promise<void> {
    await this.#client.send(new AttachPolicyCommand({ policyName: policy, target: arn }));
  }

  async detachPolicy(policy: string, { arn }: Certificate): Promise<void> {
    await this.#client.send(new DetachPolicyCommand({ policyName: policy, target: arn }));
  }

  async attach(thing: string, { arn }: Certificate): Promise<void> {
    await this.#client.send(new AttachThingPrincipalCommand({ thingName: thing, principal: arn }));
  }

  async detach(thing: string, { arn }: Certificate): Promise<void> {
    await this.#client.send(new DetachThingPrincipalCommand({ thingName: thing, principal: arn }));
  }
}

function certificateIn(made: CreateCertificateFromCsrCommandOutput): NewCertificate {
  return {
    id: said(made.certificateId, "the certificate's id"),
    arn: said(made.certificateArn, "the certificate's ARN"),
    certificate: said(made.certificatePem, "the certificate"),
  };
}

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

function said(value: string | undefined, what: string): string {
  if (value !== undefined && value !== "") return value;
  throw new Fault("provision.answer", `AWS IoT did not say ${what}`, {
    retry: true,
    hint: "Run the command again.",
  });
}
