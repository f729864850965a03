"""What a client can do to a server to bring it down, and what must hold meanwhile and afterwards.

Each function in ATTACKS takes the port and the process id of a server, does its worst and raises AssertionError where
the server does not hold: where /health took longer than HEALTH_SECONDS meanwhile, a request was not refused as it should
be, or the server has kept more than `most_kib` of memory afterwards (None: not checked, as under a sanitizer). It returns
the figures. `terminate`, which is not in the list, ends the server.

The first streams of a server make its buffers, so call warm_up() before the first attack.
"""

import functools
import json
import os
import random
import select
import signal
import socket
import struct
import threading
import time

PATIENCE = 30
HEALTH_SECONDS = 1.0
MOST_KIB = 4096

ATTACKS = []


def connect(port, receive_buffer=None):
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", port))
    return client


def request(method="POST", path="/v1/completions", body=b"", headers=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body or method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def completion(max_tokens, stream=True):
    """A request for a text. Its spaces are json's own."""
    return request(body=json.dumps({"prompt": "a", "max_tokens": max_tokens, "stream": stream}).encode())


def status_of(answer):
    """The status of an answer; None where nothing came. Anything else than HTTP is an error."""
    if not answer:
        return None
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


def read_answer(client):
    """The status and the body of one answer that has a length; (None, b"") where the connection ends."""
    answer = b""
    try:
        while b"\r\n\r\n" not in answer:
            part = client.recv(65536)
            if not part:
                return status_of(answer), b""
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            part = client.recv(65536)
            if not part:
                break
            body += part
        return status_of(head), body
    except ConnectionError:
        return status_of(answer), b""


def ask(port, message):
    with connect(port) as client:
        try:
            client.sendall(message)
        except ConnectionError:
            pass  # refused before it was read to the end
        return read_answer(client)


def read_stream(client):
    """All that comes until the last chunk, or until the connection ends."""
    text = b""
    while not text.endswith(b"\r\n0\r\n\r\n"):
        part = client.recv(65536)
        if not part:
            break
        text += part
    return text


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def has_ended(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def becomes_true(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Watch:
    """Asks for /health all the time, on a new connection each, while its block runs."""

    def __init__(self, port):
        self.port = port
        self.slowest = 0.0
        self.faults = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while True:
            begin = time.monotonic()
            try:
                status, _ = ask(self.port, request("GET", "/health"))
                if status != 200:
                    self.faults.append(f"/health: status {status}")
            except OSError as error:
                self.faults.append(f"/health: {error}")
            self.slowest = max(self.slowest, time.monotonic() - begin)
            if self.over.wait(0.02):
                break

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def attack(function):
    """Puts the function into ATTACKS, with the checks of the head of this file around it."""

    @functools.wraps(function)
    def withstood(port, pid, most_kib=MOST_KIB, **options):
        before = resident_kib(pid)
        with Watch(port) as watch:
            function(port, pid, **options)
        name = function.__name__
        assert not watch.faults, f"{name}: {watch.faults[:3]}"
        assert watch.slowest < HEALTH_SECONDS, f"{name}: /health took {watch.slowest:.2f} s"
        if most_kib is not None:
            small = becomes_true(lambda: resident_kib(pid) <= before + most_kib, seconds=15)
            assert small, f"{name}: {before} KiB before, {resident_kib(pid)} after"
        return {"attack": name, "health_ms": round(1000 * watch.slowest, 1), "kib": resident_kib(pid) - before}

    ATTACKS.append(withstood)
    return withstood


def warm_up(port, clients=64):
    """Has the server do once what it does for that many clients."""
    waiting = [connect(port) for _ in range(clients)]
    for client in waiting:
        client.sendall(completion(50))
    for client in waiting:
        read_stream(client)
        client.close()


def flood(port, head, piece, size, expected):
    """Sends the head and then pieces until there are `size` bytes, whatever the server says, or until it lets go; its
    answer must have the status `expected`."""
    answer = b""
    sent = 0
    reads = True
    with connect(port) as client:
        client.sendall(head)
        client.setblocking(False)
        try:
            while sent < size:
                readable, writable, _ = select.select([client] if reads else [], [client], [], PATIENCE)
                assert readable or writable, "the server neither reads nor closes"
                if readable:
                    part = client.recv(65536)
                    answer += part
                    reads = part != b""
                if writable:
                    sent += client.send(piece)
            client.settimeout(PATIENCE)
            while reads and (part := client.recv(65536)):
                answer += part
        except ConnectionError:
            pass  # closed in the midst of the flood, after the answer
    assert status_of(answer) == expected, f"{answer[:80]} after {sent} bytes"


POST = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"


@attack
def endless_chunks(port, pid, size=200 << 20):
    flood(port, POST + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n", size, 413)


@attack
def endless_line(port, pid, size=64 << 20):
    flood(port, b"GET /", b"a" * 65536, size, 431)


@attack
def endless_fields(port, pid, size=64 << 20):
    flood(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"X-Field: 12345\r\n" * 4096, size, 431)


@attack
def field_after_field(port, pid, seconds=2):
    """Each field in a packet of its own: a parser that counts only what it has not read yet has no limit."""
    with connect(port) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end and not select.select([client], [], [], 0.001)[0]:
                client.sendall(b"X-Field: " + b"a" * 4000 + b"\r\n")
        except ConnectionError:
            pass
        assert read_answer(client)[0] == 431


@attack
def negative_chunk(port, pid, size=200 << 20):
    flood(port, POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n", b"a" * 65536, size, 400)


@attack
def endless_extension(port, pid, size=64 << 20):
    """Of a chunk, which has no size of its own to be over."""
    flood(port, POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536, size, 400)


@attack
def huge_length(port, pid, size=64 << 20):
    flood(port, POST + b"Content-Length: 100000000000\r\n\r\n", b"a" * 65536, size, 413)


@attack
def many_bodies(port, pid, clients=300, size=1 << 20, most_kib_meanwhile=256 << 10):
    """As large as one client's may be, two of three incomplete: together they are more than the server reads at once."""
    before = resident_kib(pid)
    waiting = [connect(port) for _ in range(clients)]
    message = POST + f"Content-Length: {size}\r\n\r\n".encode() + b" " * size
    for number, client in enumerate(waiting):
        try:
            client.sendall(message[:-1] if number % 3 else message)
        except ConnectionError:
            pass  # refused
    kept = resident_kib(pid) - before
    for client in waiting:
        client.close()
    assert most_kib_meanwhile is None or kept < most_kib_meanwhile, f"{kept} KiB are held for {clients} clients"


@attack
def silent_clients(port, pid, clients=64, seconds=1):
    waiting = [connect(port) for _ in range(clients)]
    time.sleep(seconds)
    for client in waiting:
        client.close()


@attack
def byte_a_second(port, pid, clients=64, seconds=3):
    """Half of them in the header, half in the body. With more seconds than a request has, all must be cut."""
    waiting = [connect(port) for _ in range(clients)]
    for number, client in enumerate(waiting):
        client.sendall(POST + (b"Content-Length: 1000\r\n\r\n" if number % 2 else b"X: "))
    for _ in range(seconds):
        time.sleep(1)
        for client in waiting:
            try:
                client.send(b"a")
            except ConnectionError:
                pass
    for client in waiting:
        client.settimeout(0.2)
        cut = seconds > 11
        assert not cut or read_answer(client)[0] == 408
        client.close()


@attack
def many_streams(port, pid, clients=64, max_tokens=200):
    """All of them are served, side by side."""
    waiting = [connect(port) for _ in range(clients)]
    for client in waiting:
        client.sendall(completion(max_tokens))
    for client in waiting:
        text = read_stream(client)
        assert status_of(text) == 200 and b"data: [DONE]\n\n" in text, text[-200:]
        client.close()


@attack
def leaving_clients(port, pid, clients=20, max_tokens=100000):
    """While their streams run, some without a word. Afterwards the server has nothing to do."""
    waiting = [connect(port) for _ in range(clients)]
    for client in waiting:
        client.sendall(completion(max_tokens))
    for number, client in enumerate(waiting):
        assert status_of(client.recv(4096)) == 200
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def is_idle():
        before = cpu_seconds(pid)
        time.sleep(0.5)
        return cpu_seconds(pid) - before < 0.1

    assert is_idle() or is_idle() or is_idle(), "the server works for clients that have left"


@attack
def stuck_readers(port, pid, clients=16, max_tokens=20000, seconds=2):
    """They ask for long streams and never read; others are served meanwhile."""
    waiting = [connect(port, receive_buffer=4096) for _ in range(clients)]
    for client in waiting:
        client.sendall(completion(max_tokens))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert ask(port, completion(5, stream=False))[0] == 200
        time.sleep(0.05)
    for client in waiting:
        client.close()


@attack
def long_pipeline(port, pid, size=16 << 20):
    """Requests without end, by a client that reads no answer."""
    with connect(port, receive_buffer=4096) as client:
        client.settimeout(1)
        sent = 0
        try:
            while sent < size:
                sent += client.send(request("GET", "/health") * 1000)
        except OSError:
            pass  # the server reads no further


DEEP = 100000
ODD_VALUES = ["[" * DEEP, "[" * 1000 + "]" * 1000, '{"a":' * DEEP, "1e999", "-1e999", "9" * 400, "-1", "1.5", "NaN", "tru",
              "", "null,", '"\\ud800"', '"\\u0000"', '"\\x"', '"', "{}", "[[[]]]", '"' + "a" * 100000, "18446744073709551616"]
FIELDS = ["prompt", "max_tokens", "temperature", "n", "stop", "logprobs", "logit_bias", "seed", "stream", "echo"]
PATHS = ["/../../etc/passwd", "/v1/../v1/completions", "/%2e%2e/%2e%2e/etc/passwd", "//v1/completions", "/v1//completions",
         "/v1/completions/", "/V1/COMPLETIONS", "/%00", "/%", "/%zz", "/v1/completions%00.html", "*", "\\", "/health#x",
         "http://", "ftp://localhost/health", "/" + "a" * 15000, "/v1/models/../../health", "/\udcff\udcfe", "/x?" + "&" * 1000]
METHODS = ["DELETE", "PATCH", "PUT", "TRACE", "CONNECT", "get", "G@T", "BREW", "A" * 1000, "-"]
HEADERS = ["Content-Length: 1", "Content-Length: -1", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip",
           "Host: evil.example", ": x", "X : y", "X: \x00", "X: a\rb", " folded"]


def broken_json(dice):
    field = dice.choice(FIELDS)
    body = {"prompt": "a", "max_tokens": 2}
    body.pop(field, None)
    text = json.dumps(body)[:-1] + f', "{field}": {dice.choice(ODD_VALUES)}' + dice.choice(["}", "", "}}", ","])
    return request(body=text.encode())


def broken_text(dice):
    """A good request with one to three bytes replaced; often it is no UTF-8 then."""
    body = bytearray(b'{"prompt": "abcdefgh", "max_tokens": 2}')
    for _ in range(dice.randrange(1, 4)):
        body[dice.randrange(len(body))] = dice.randrange(256)
    return request(body=bytes(body))


def expect_refused(port, message, may_be_good=False):
    status, body = ask(port, message)
    if may_be_good and status == 200:
        return
    assert status is not None and 400 <= status < 500, (status, message[:200], body[:200])
    assert json.loads(body)["error"]["message"], (status, message[:200], body[:200])


def expect_closed(port, noise):
    """An answer may come too, if it is a refusal."""
    with connect(port) as client:
        try:
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was read to the end
        status, body = read_answer(client)
    assert status is None or 400 <= status < 500, (status, noise, body[:200])


@attack
def garbage_requests(port, pid, count=2000, seed=1):
    """Each is refused, and good ones beside them are answered."""
    dice = random.Random(seed)
    for number in range(count):
        kind = number % 6
        if kind == 0:
            expect_refused(port, broken_json(dice), may_be_good=True)
        elif kind == 1:
            expect_refused(port, broken_text(dice), may_be_good=True)
        elif kind == 2:
            expect_refused(port, request(dice.choice(METHODS), dice.choice(["/v1/completions", "/health"])))
        elif kind == 3:
            expect_refused(port, request("GET", dice.choice(PATHS)))
        elif kind == 4:
            expect_refused(port, request(headers=[dice.choice(HEADERS)], body=b"{}"))
        else:
            expect_closed(port, bytes(dice.randrange(256) for _ in range(dice.randrange(1, 200))))
        if number % 50 == 0:
            assert ask(port, completion(2, stream=False))[0] == 200


def terminate(port, pid, seconds=15):
    """Ends the server while all kinds of clients hold on to it. Returns the seconds that it took."""
    waiting = [connect(port) for _ in range(32)] + [connect(port, receive_buffer=4096) for _ in range(8)]
    for number, client in enumerate(waiting):
        if number >= 32 or number % 4 == 0:
            client.sendall(completion(100000))
        elif number % 4 == 1:
            client.sendall(POST + b"X: ")
        elif number % 4 == 2:
            client.sendall(POST + b"Content-Length: 1000\r\n\r\n")
    time.sleep(0.3)
    begin = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    assert becomes_true(lambda: has_ended(pid), seconds), f"the server goes on {seconds} s after SIGTERM"
    for client in waiting:
        client.close()
    return time.monotonic() - begin
