export const STDOUT = "42 rows\n";
export const STDERR = "no errors\n";
export const NDJSON = [
  { seq: 1, stream: "stderr", at: "2030-03-29T03:00:02.113Z", data: STDERR },
  { seq: 2, stream: "stdout", at: "2030-03-29T03:00:02.705Z", data: STDOUT },
]
  .map((frame) => `${JSON.stringify(frame)}\n`)
  .join("");
export const EVENTS = `retry: 1000

event: log
id: 1
data: ${JSON.stringify({ seq: 1, stream: "stdout", at: "2030-03-29T03:00:01.402Z", data: STDOUT })}

`;
