"""A crowd at the door of a service, for as long as it runs: who it is says the first argument.

    crowd.py idle|slow|sign-in|public HOST PORT

- idle: 10,000 connections, of which every other one has begun a request.
- slow: 1,000 clients that send one byte of a request each second, and come again when refused.
- sign-in: 256 clients that guess passwords, each as fast as it is answered.
- public: 256 clients that ask for the checkpoint, each as fast as it is answered.

It comes from 127.0.0.2 and, five hundred from each, from the addresses after it, so that its pace and its
connections are counted apart from those of others. Prints "there" when all
have come, and at its end, by SIGTERM, how many answers of which status it got.
"""

import asyncio
import collections
import json
import signal
import sys

CLIENTS_OF_ONE_ADDRESS = 500
CLIENTS = {"idle": 10_000, "slow": 1_000, "sign-in": 256, "public": 256}

answers = collections.Counter()


def request(method, path, body=b""):
    head = f"{method} {path} HTTP/1.1\r\nhost: keylend\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


GUESS = json.dumps({"email": "admin@bench.example", "password": "a guess like any other"}).encode()
REQUESTS = {
    "sign-in": request("POST", "/v1/sessions", GUESS),
    "public": request("GET", "/log/checkpoint"),
    "slow": request("GET", "/healthz"),
}


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    answers[head.split(b" ", 2)[1].decode()] += 1
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


async def ask(kind, reader, writer):
    while True:
        writer.write(REQUESTS[kind])
        await writer.drain()
        await read_answer(reader)


async def dawdle(reader, writer):
    for byte in REQUESTS["slow"]:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)
    await read_answer(reader)


async def stand(number, reader, writer):
    if number % 2 == 0:
        writer.write(b"POST /v1/commands HTTP/1.1\r\nhost: ")
        await writer.drain()
    while await reader.read(4096):
        pass


async def client(kind, number, target, arrived):
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
            else:
                await ask(kind, reader, writer)
            writer.close()
        except (OSError, EOFError, asyncio.IncompleteReadError):
            answers["closed"] += 1
            await asyncio.sleep(1)


async def main():
    kind, host, port = sys.argv[1:]
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    arrived = asyncio.Semaphore(0)
    clients = []
    for number in range(CLIENTS[kind]):
        clients.append(asyncio.create_task(client(kind, number, (host, int(port)), arrived)))
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
