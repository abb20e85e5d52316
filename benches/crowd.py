"""A crowd at the door of a service, for as long as it runs: who it is says the first argument.

    crowd.py idle|slow|sleepers|sign-in|public|revoked-key|guests-locks HOST PORT FOLDER

- idle: 10,000 connections, of which every other one has begun a request.
- slow: 1,000 clients that send one byte of a request each second, and come again when refused.
- sleepers: 1,000 connections of HTTP/2 that send a PING each second and ask nothing.
- sign-in: 256 clients that guess passwords, each as fast as it is answered.
- public: 256 clients that ask for the checkpoint, each as fast as it is answered.
- revoked-key: 64 clients that unlock with the same key, which has ended, each as fast as it is answered.
- guests-locks: 64 clients that lock with the same key, which is good, each as fast as it is answered.

The folder is the one in which prepare.py left its keys.

It comes from 127.0.0.2 and, five hundred from each, from the addresses after it, so that its pace and its
connections are counted apart from those of others. Prints "there" when all
have come, and at its end, by SIGTERM, how many answers of which status it got.
"""

import asyncio
import collections
import itertools
import json
import signal
import sys

CLIENTS_OF_ONE_ADDRESS = 500
CLIENTS = {
    "idle": 10_000,
    "slow": 1_000,
    "sleepers": 1_000,
    "sign-in": 256,
    "public": 256,
    "revoked-key": 64,
    "guests-locks": 64,
}
# The preface, an empty SETTINGS and a PING (RFC 9113 sections 3.4, 6.5 and 6.7).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
PING = bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + b" wake up"

answers = collections.Counter()


def request(method, path, body=b"", headers=""):
    head = f"{method} {path} HTTP/1.1\r\nhost: keylend\r\n{headers}"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


GUESS = json.dumps({"email": "admin@bench.example", "password": "a guess like any other"}).encode()
REQUESTS = {
    "sign-in": request("POST", "/v1/sessions", GUESS),
    "public": request("GET", "/log/checkpoint"),
    "slow": request("GET", "/healthz"),
}


def command(line, action):
    """Makes requests, each with a key of its own, by the grant of this line of the keys."""
    token, vehicle_id = line.split()
    body = json.dumps({"vehicle_id": vehicle_id, "action": action}).encode()
    numbers = itertools.count()

    def make():
        headers = f"authorization: Bearer {token}\r\nidempotency-key: {action}-{next(numbers)}\r\n"
        return request("POST", "/v1/commands", body, headers)

    return make


def requests_of(kind, folder):
    """Makes the requests of one kind of crowd."""
    if kind in ("revoked-key", "guests-locks"):
        with open(folder + "/crowd.keys", encoding="ascii") as keys:
            revoked, good = keys
        return command(revoked, "unlock") if kind == "revoked-key" else command(good, "lock")
    return lambda: REQUESTS[kind]


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    answers[head.split(b" ", 2)[1].decode()] += 1
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


async def ask(make, reader, writer):
    while True:
        writer.write(make())
        await writer.drain()
        await read_answer(reader)


async def dawdle(reader, writer):
    for byte in REQUESTS["slow"]:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)
    await read_answer(reader)


async def sleep(reader, writer):
    writer.write(PREFACE)
    while True:
        writer.write(PING)
        await writer.drain()
        await asyncio.sleep(1)
        if not await reader.read(65536):
            raise EOFError


async def stand(number, reader, writer):
    if number % 2 == 0:
        writer.write(b"POST /v1/commands HTTP/1.1\r\nhost: ")
        await writer.drain()
    while await reader.read(4096):
        pass


async def client(kind, make, number, target, arrived):
    """One of the crowd. Whoever is thrown out comes again."""
    address = (f"127.0.0.{2 + number // CLIENTS_OF_ONE_ADDRESS}", 0)
    while True:
        try:
            reader, writer = await asyncio.open_connection(*target, local_addr=address)
            arrived.release()
            if kind == "idle":
                await stand(number, reader, writer)
            elif kind == "slow":
                await dawdle(reader, writer)
            elif kind == "sleepers":
                await sleep(reader, writer)
            else:
                await ask(make, reader, writer)
            writer.close()
        except (OSError, EOFError, asyncio.IncompleteReadError):
            answers["closed"] += 1
            await asyncio.sleep(1)


async def main():
    kind, host, port, folder = sys.argv[1:]
    make = requests_of(kind, folder)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    arrived = asyncio.Semaphore(0)
    clients = []
    for number in range(CLIENTS[kind]):
        clients.append(asyncio.create_task(client(kind, make, number, (host, int(port)), arrived)))
        if number % 100 == 99:
            # As fast as the listener takes them.
            for _ in range(100):
                await arrived.acquire()
    print("there", flush=True)
    await stopped.wait()
    for task in clients:
        task.cancel()
    counts = " ".join(f"{status}={count}" for status, count in sorted(answers.items()))
    print(counts or "nothing yet", flush=True)


asyncio.run(main())
