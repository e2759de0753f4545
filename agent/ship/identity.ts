/** What signs a request; the AWS client's own shape. */
export interface Identity {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Asked for again once this has passed. */
  expiration?: Date;
}
