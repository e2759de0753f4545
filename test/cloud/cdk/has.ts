/** Assertions on templates that tap counts. */

import type { Template } from "aws-cdk-lib/assertions";
import type { Test } from "tap";

/** Some resource of `type` has these properties, or more. */
export function has(
  t: Test,
  template: Template,
  type: string,
  properties: unknown,
  says: string = type,
): void {
  t.doesNotThrow(() => template.hasResourceProperties(type, properties), says);
}

/** Every resource of `type` has these properties, or more. */
export function all(
  t: Test,
  template: Template,
  type: string,
  properties: unknown,
  says: string = type,
): void {
  t.doesNotThrow(() => template.allResourcesProperties(type, properties), says);
}

/** Exactly `count` resources of `type` have these properties, or more. */
export function count(t: Test, template: Template, type: string, properties: unknown, count: number): void {
  t.doesNotThrow(() => template.resourcePropertiesCountIs(type, properties, count), `${count} × ${type}`);
}
