/** How to reach the mail server, and as whom. */
export interface SmtpLogin {
  host: string;
  port: number;
  user?: string;
  password?: string;
  /** `fastlane@example.com`, or with a name: `fastlane <fastlane@example.com>`. */
  from: string;
  /**
   * TLS from the first byte. Otherwise STARTTLS, when the server offers it; it must when there is a
   * login, for a password goes unencrypted to this machine alone.
   */
  useSsl: boolean;
  /**
   * PEM of the authorities that the server's certificate may be from, in place of the public ones.
   * Without it, STARTTLS on this machine itself takes any certificate: nobody can come between, and
   * mail servers make one for themselves that nobody has signed.
   */
  ca?: string;
}
