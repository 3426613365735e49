import { errorResponses } from "./errors.ts";
import { type Answer, type HeaderName, type Operation, TAGS, type Tag } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { PARAMETERS, type ParameterName } from "./parameters.ts";
import { namedSchemas, refTo, type Schema, type SchemaName } from "./schemas.ts";

/** OpenAPI 3.1, as far as the API needs it. */
export interface OpenApiDocument {
  openapi: "3.1.1";
  info: { title: string; version: string; summary: string; description: string };
  servers: { url: string }[];
  tags: { name: Tag; description: string }[];
  security?: SecurityRequirement[];
  paths: Record<string, Partial<Record<Operation["method"], OperationObject>>>;
  components: {
    schemas: Record<SchemaName, Schema>;
    parameters: Record<string, ParameterObject>;
    headers: Record<string, HeaderObject>;
    securitySchemes?: typeof SECURITY_SCHEMES;
  };
}

type SecurityRequirement = Record<string, string[]>;

interface Ref {
  $ref: string;
}

export interface OperationObject {
  operationId: string;
  tags: [Tag];
  summary: string;
  description: string;
  security?: SecurityRequirement[];
  parameters: Ref[];
  requestBody?: { required: true; content: Record<string, MediaType> };
  responses: Record<string, ResponseObject>;
}

export interface ParameterObject {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description: string;
  schema: Schema;
  example: string | number | boolean;
}

interface HeaderObject {
  description: string;
  schema: Schema;
}

export interface ResponseObject {
  description: string;
  headers: Record<string, Ref>;
  content: Record<string, MediaType>;
}

interface MediaType {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { summary: string; value: unknown }>;
}

/** In paragraphs. */
const DESCRIPTION = `Every URL works with and without the slash at its end. Answers have absolute URLs.

Times are ISO 8601, in UTC with milliseconds; a time in a request is that, or UNIX seconds.

A body is read as JSON whatever its Content-Type says, up to 1 MiB. A key that is not known is an \
error that names it.

Variables and headers whose names look secret, such as SMTP_PASSWORD, are shown as ***.

Logs are streamed over WebSockets, which this document cannot describe: ws/ behind the URL of a job \
or an execution, and /tail/ws/ for many executions at once. ?format=json&after=SEQ gives numbered \
frames, and goes on behind one of them.

A request that is refused is answered with a sentence, the name of the operation and, where keys \
are wrong, the path and fault of each.`;

const SECURITY_SCHEMES = {
  basic: {
    type: "http",
    scheme: "basic",
    description:
      "the name and password of the configuration; or any name, and a token as the password",
  },
  bearer: { type: "http", scheme: "bearer", description: "a token" },
} as const;

export interface DocumentOptions {
  version: string;
  /** Where the API is, without a slash at its end. */
  baseUrl: string;
  asksForPassword: boolean;
}

/** The whole API, from the schemas that check its requests and type its answers. */
export function openApiDocument(options: DocumentOptions): OpenApiDocument {
  const { version, baseUrl, asksForPassword } = options;
  const paths: OpenApiDocument["paths"] = {};
  for (const operation of OPERATIONS) {
    const { path, method } = operation;
    paths[path] = { ...paths[path], [method]: operationObject(operation, asksForPassword) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "fastlane",
      version,
      summary: "Runs container jobs over HTTP",
      description: DESCRIPTION,
    },
    servers: [{ url: baseUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name: name as Tag, description })),
    ...(asksForPassword
      ? { security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })) }
      : {}),
    paths,
    components: {
      schemas: namedSchemas(),
      parameters: parameterObjects(),
      headers: HEADERS,
      ...(asksForPassword ? { securitySchemes: SECURITY_SCHEMES } : {}),
    },
  };
}

const REQUEST_ID: ParameterName = "X-Request-ID";
/** Headers that come with an answer of one status. */
const OF_STATUS: Record<number, HeaderName> = {
  401: "WWW-Authenticate",
  429: "Retry-After",
  416: "Content-Range",
  503: "Retry-After",
};

const HEADERS: Record<HeaderName | typeof REQUEST_ID, HeaderObject> = {
  [REQUEST_ID]: {
    description: "the id of the request, as the service's log has it",
    schema: PARAMETERS[REQUEST_ID].schema,
  },
  "Accept-Ranges": {
    description: "bytes, where ranges are answered",
    schema: { type: "string", enum: ["bytes"] },
  },
  "Content-Range": {
    description: "which bytes these are, and of how many",
    schema: { type: "string", pattern: "^bytes (\\d+-\\d+|\\*)/\\d+$" },
  },
  ETag: {
    description: "the same as long as the text is",
    schema: { type: "string" },
  },
  "Fastlane-Exit-Code": {
    description: "the exit code, once there is one",
    schema: { type: "integer", minimum: 0, maximum: 255 },
  },
  "WWW-Authenticate": { description: "how to say who asks", schema: { type: "string" } },
  "Retry-After": {
    description: "seconds to wait before the request is made again",
    schema: { type: "integer", minimum: 0 },
  },
};

function headerRefs(names: readonly string[]): Record<string, Ref> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function operationObject(operation: Operation, asksForPassword: boolean): OperationObject {
  const { id, tag, summary, description, request } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...(operation.isOpen && asksForPassword ? { security: [] } : {}),
    parameters: [...operation.parameters, REQUEST_ID].map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    ...(request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema: { $ref: refTo(request.schema) },
                examples: request.examples,
              },
            },
          },
        }),
    responses: responsesOf(operation),
  };
}

function responsesOf({ id, answers, refusals }: Operation): Record<string, ResponseObject> {
  const good = answers.map((answer) => {
    const { status, description, schema, example } = answer;
    return [
      String(status),
      schema === undefined ? textResponse(answer) : jsonResponse(description, schema, example),
    ];
  });
  const bad = errorResponses(id, refusals).map(({ status, description, example }) => {
    const response = jsonResponse(description, "ErrorAnswer", example);
    const ofStatus = OF_STATUS[status];
    const headers = {
      ...response.headers,
      ...headerRefs(ofStatus === undefined ? [] : [ofStatus]),
    };
    return [String(status), { ...response, headers }];
  });
  return Object.fromEntries([...good, ...bad]);
}

function jsonResponse(description: string, schema: SchemaName, example: unknown): ResponseObject {
  return {
    description,
    headers: headerRefs([REQUEST_ID]),
    content: { "application/json": { schema: { $ref: refTo(schema) }, example } },
  };
}

function textResponse(answer: Answer): ResponseObject {
  const { description, type = "text/plain", example, headers = [], ndjson } = answer;
  const schema: Schema = { type: "string" };
  return {
    description,
    headers: headerRefs([REQUEST_ID, ...headers]),
    content: {
      ...(type === null ? {} : { [type]: { schema, example } }),
      ...(ndjson === undefined ? {} : { "application/x-ndjson": { schema, example: ndjson } }),
    },
  };
}

function parameterObjects(): Record<string, ParameterObject> {
  return Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, parameter]) => [
      name,
      { name, ...parameter, required: parameter.in === "path" || "required" in parameter },
    ]),
  );
}
