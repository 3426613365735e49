import { expect, test } from "bun:test";
import { parse } from "smol-toml";
import { linesOf } from "../../src/config/toml-lines.ts";

const TEXT = `# port = 1
port = 2 # host = "x"
text = "a = 1 # [no]"
'quoted key' = 'C:\\' # an end
"a.\\u0062" . c = 1
long = """
[table]
key = "1" \\"""
x = 2"""
raw = '''
[[list]]
'''''
list = [ # [a]
  1,
  [2,
   "]"], { a = 1, b.c = [
   3] },
]
date = 1979-05-27 07:32:00Z

[[pools]]
hosts = [
  "a",

  "b"]
[pools.allow]
users = []
[[pools]]
  [ pools . allow ]
  workdir = true
[[pools.more]]
x = 1
[[pools.more]]
x = 2

[logins."registry.example:5000"]
username = "ada"\r
password = "]"
[retention]
`;

test.each<[(string | number)[], number]>([
  [["port"], 2],
  [["text"], 3],
  [["quoted key"], 4],
  [["a.b", "c"], 5],
  [["long"], 6],
  [["raw"], 10],
  [["list", 0], 14],
  [["list", 1, 0], 15],
  [["list", 1, 1], 16],
  [["list", 2, "a"], 16],
  [["list", 2, "b", "c", 0], 17],
  [["date"], 19],
  [["pools", 0, "hosts", 1], 25],
  [["pools", 0, "allow", "users"], 27],
  [["pools", 1], 28],
  [["pools", 1, "allow", "workdir"], 30],
  [["pools", 1, "more", 1, "x"], 34],
  [["logins", "registry.example:5000", "password"], 38],
  [["logins"], 36],
  [["retention"], 39],
  [["retention", "logsDays"], 39],
  [["pools", 1, "hosts"], 28],
  [["absent"], 1],
])("%j stands in line %p, or the nearest key around it does", (path, line) => {
  expect(() => parse(TEXT)).not.toThrow();

  expect(linesOf(TEXT)(path)).toBe(line);
});
