// Takes access tokens with oauth4webapi, by both ways in which a client can authenticate, and uses each.
// A wrong secret must be an error in OAuth's own words. Prints what it got, one JSON text a line.
import { pathToFileURL } from "node:url";

const { KEYLEND_URL: url, CLIENT_ID: id, CLIENT_SECRET: secret, OAUTH4WEBAPI: folder } = process.env;
const oauth = await import(pathToFileURL(`${folder}/build/index.js`));

const server = { issuer: url, token_endpoint: `${url}/oauth/token` };
const client = { client_id: id };
const options = { [oauth.allowInsecureRequests]: true };

async function take(authentication) {
  const response = await oauth.clientCredentialsGrantRequest(
    server, client, authentication, new URLSearchParams(), options,
  );
  return oauth.processClientCredentialsResponse(server, client, response);
}

for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  const token = await take(authenticate(secret));
  const users = await oauth.protectedResourceRequest(
    token.access_token, "GET", new URL(`${url}/v1/users`), undefined, undefined, options,
  );
  console.log(JSON.stringify({ ...token, users: users.status }));
}
try {
  await take(oauth.ClientSecretBasic("wrong"));
} catch (error) {
  console.log(JSON.stringify({ error: error.error ?? error.cause?.[0]?.scheme, status: error.status ?? error.response?.status }));
}
