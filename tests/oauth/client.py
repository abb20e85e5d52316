"""Takes access tokens with Authlib, by both ways in which a client can authenticate, and uses each.

A wrong secret must be an error in OAuth's own words. Prints what it got, one JSON text a line.
"""

import json
import os

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

url, client_id, secret = (os.environ[name] for name in ("KEYLEND_URL", "CLIENT_ID", "CLIENT_SECRET"))


def take(method, secret):
    session = OAuth2Session(client_id, secret, token_endpoint_auth_method=method)
    return session, session.fetch_token(url + "/oauth/token", grant_type="client_credentials")


for method in ("client_secret_basic", "client_secret_post"):
    session, token = take(method, secret)
    print(json.dumps({**token, "users": session.get(url + "/v1/users").status_code}))
try:
    take("client_secret_basic", "wrong")
except OAuthError as error:
    print(json.dumps({"error": error.error, "status": 401}))
