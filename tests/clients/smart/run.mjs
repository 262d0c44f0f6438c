// Starts the site that is given as a command, puts patients there, and runs client.mjs and passkeys.mjs
// against it.
//
//   node run.mjs SCREENSHOTS-OR-"" PROGRAM

import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, writeFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as jose from "jose";

const [pictures, program] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "plummer-smart-"));
const port = await new Promise((told) => {
  const probe = createServer().listen(0, "localhost", () => {
    const { port } = probe.address();
    probe.close(() => told(port));
  });
});
const { publicKey, privateKey } = await jose.generateKeyPair("ES384", { extractable: true });
const named = async (key) => ({ ...(await jose.exportJWK(key)), kid: "test-key", alg: "ES384" });
const files = { key: join(folder, "key.json"), set: join(folder, "set.json"), facts: join(folder, "facts.json") };
await writeFile(files.key, JSON.stringify(await named(privateKey)));
await writeFile(files.set, JSON.stringify({ keys: [await named(publicKey)] }));

const site = spawn(program, [join(folder, "data"), String(port), files.set], {
  stdio: ["pipe", "pipe", "inherit"],
});
const line = await new Promise((told, failed) => {
  createInterface({ input: site.stdout }).once("line", told);
  site.once("exit", (code) => failed(new Error(`the site ended with ${code}`)));
});
const facts = { ...JSON.parse(line), port, key: files.key, patient: "ada", name: "Love" };

const people = [
  ["ada", "Lovelace", "Ada", "1815-12-10", "female"],
  ["bob", "Lovell", "Bob", "1953-04-02", "male"],
  ["cyd", "Lovegood", "Cyd", "2011-09-30", "other"],
];
for (const [id, family, given, birthDate, gender] of people) {
  const body = {
    resourceType: "Patient", id, name: [{ family, given: [given] }], birthDate, gender,
    identifier: [{ system: "urn:mrn", value: `MRN-${id}` }],
    generalPractitioner: [{ reference: "Practitioner/eve" }],
  };
  const answer = await fetch(`${facts.base}/Patient/${id}`, {
    method: "PUT", headers: { "Content-Type": "application/fhir+json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}
await writeFile(files.facts, JSON.stringify(facts));
let status = 0;
for (const part of ["client.mjs", "passkeys.mjs"]) {
  const words = [join(here, part), files.facts, ...(pictures ? [pictures] : [])];
  if (status === 0) status = spawnSync("node", words, { stdio: "inherit" }).status;
}
site.stdin.end();
await new Promise((done) => (site.exitCode === null ? site.once("exit", done) : done()));
await rm(folder, { recursive: true, force: true });
process.exit(status ?? 1);
