// Verifies webhooks with the official library of npm: a secret, and a file with one message in each line.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, secret, file] = process.argv.slice(2);
const { Webhook } = createRequire(`${modules}/`)("standardwebhooks");
const webhook = new Webhook(secret);
let verified = 0;
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const { headers, body } = JSON.parse(line);
  webhook.verify(body, headers);
  let refused = false;
  try {
    webhook.verify(`${body} `, headers);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error("a changed body was taken");
  verified += 1;
}
console.log(verified);
