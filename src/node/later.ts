// What the program uses and Node has only since a version later than 20.
import "core-js/actual/array/from-async.js";
import "core-js/actual/map/group-by.js";
import "core-js/actual/promise/with-resolvers.js";
import "core-js/actual/regexp/escape.js";
import "core-js/actual/url/parse.js";
import tls from "node:tls";
import { caCertificates } from "./ca-certificates.ts";

// Since 22.15.
tls.getCACertificates ??= caCertificates;
