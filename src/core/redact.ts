const REDACTED = "***";

/** Words that mark an environment variable as secret when its name contains one of them. */
export const SECRET_WORDS = ["password", "key", "secret", "client_id", "token"] as const;

/** The variables with `***` in place of each value whose name contains one of the words, in any case. */
export function redactEnvs(
  envs: Record<string, string>,
  secretWords: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(envs).map(([name, value]) => {
      const lower = name.toLowerCase();
      const secret = secretWords.some((word) => lower.includes(word.toLowerCase()));
      return [name, secret ? REDACTED : value];
    }),
  );
}
