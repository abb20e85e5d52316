"""Verifies webhooks with the official library of PyPI: a secret, and a file with one message in each line."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, file = sys.argv[1:]
webhook = Webhook(secret)
verified = 0
for line in open(file, encoding="utf-8"):
    message = json.loads(line)
    webhook.verify(message["body"], message["headers"])
    try:
        webhook.verify(message["body"] + " ", message["headers"])
    except WebhookVerificationError:
        verified += 1
    else:
        raise SystemExit("a changed body was taken")
print(verified)
