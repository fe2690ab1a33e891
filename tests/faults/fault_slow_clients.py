"""Clients that send or read a byte a second, through nginx with the configuration in deploy/: nobody else notices."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import random
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults import machines
from tests.faults.conftest import SECONDS
from tests.faults.students import API, Connection, Student, Tally
from tests.project.server import ROOT, free_port

SLOW, OTHERS = 100, 20
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def make_certificate(folder):
    """For `localhost`, by itself; gives the files of the certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def configuration(site, folder, ports):
    """deploy/nginx.conf with ports, a certificate and temporary files of this run."""
    certificate, key = make_certificate(folder)
    text = (ROOT / "deploy/nginx.conf").read_text()
    for old, new in {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{site.port};",
        "listen 80;": f"listen 127.0.0.1:{ports['http']};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{ports['https']} ssl http2;",
        "server_name exams.example.com;": "server_name localhost;",
        "/etc/letsencrypt/live/exams.example.com/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/exams.example.com/privkey.pem": str(key),
    }.items():
        assert old in text
        text = text.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"user root;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\nworker_processes 1;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"
    )


class Proxy:
    def __init__(self, site):
        self.folder = site.folder / "nginx"
        self.folder.mkdir()
        self.ports = {"http": free_port(), "https": free_port()}
        self.port = self.ports["https"]
        file = self.folder / "nginx.conf"
        file.write_text(configuration(site, self.folder, self.ports))
        self.tls = ssl.create_default_context(cafile=self.folder / "certificate.pem")
        with (self.folder / "stderr").open("wb") as output:
            self.process = subprocess.Popen(
                [NGINX, "-p", str(self.folder), "-c", str(file), "-g", "daemon off;"],
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        machines.wait_until(self.answers, "nginx does not start")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "stderr").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def proxy(site):
    proxy = Proxy(site)
    yield proxy
    proxy.stop()


class SecureConnection(Connection):
    def __init__(self, proxy, token=""):
        super().__init__(proxy.port, token)
        self.tls = proxy.tls

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, server_hostname="localhost")


def student(proxy, token, tally, seed):
    made = Student(proxy.port, token, tally, seed)
    made.connection = SecureConnection(proxy, token)
    return made


async def a_second(everything):
    """Goes by, more or less, so that not all slow clients wake at once; whether `everything` is asked for."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(everything.wait(), random.uniform(0.8, 1.2))
    return everything.is_set()


async def trickle(proxy, request, everything, connected, *, head=0):
    """Sends the request a byte a second from place `head` on, until `everything` is to be sent; the answer's status."""
    connection = SecureConnection(proxy)
    connection.reader, connection.writer = await connection.open()
    connected.release()
    try:
        connection.writer.write(request[:head])
        while head < len(request) and not await a_second(everything):
            connection.writer.write(request[head : head + 1])
            head += 1
        connection.writer.write(request[head:])
        return (await connection.answer())[0]
    finally:
        connection.close()


async def sip(proxy, request, everything, connected):
    """Reads the answer a byte a second, through a small window; the number of its bytes in the end."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", proxy.port))
    reader, writer = await asyncio.open_connection(sock=raw, ssl=proxy.tls, server_hostname="localhost", limit=1024)
    connected.release()
    try:
        writer.write(request)
        size = 0
        while not await a_second(everything):
            size += len(await reader.read(1))
        return size + len(await reader.read(65536))
    finally:
        writer.transport.abort()


async def save_for(seconds, students, tally, part):
    """The time in seconds that 99 of 100 saves took at most."""
    tally.part = part
    end = time.monotonic() + seconds

    async def go(student):
        while time.monotonic() < end:
            await student.save()
            await asyncio.sleep(0.1)

    await asyncio.gather(*[go(student) for student in students])
    return tally.most(part, 0.99)


async def saves_beside_slow_clients(proxy, stage, exam):
    tally = Tally()
    students = [student(proxy, token, tally, seed) for seed, token in enumerate(stage["tokens"])]
    others, slow = students[:OTHERS], students[OTHERS : OTHERS + SLOW]
    await asyncio.gather(*[each.begin(exam["slug"]) for each in [*others, *slow]])
    alone = await save_for(SECONDS, others, tally, "alone")

    everything, connected, reading, saving = asyncio.Event(), asyncio.Semaphore(0), [], []
    for number, each in enumerate(slow):
        each.connection.close()
        item = each.items[0][0]
        save = each.connection.request("PUT", f"{API}/attempts/{each.attempt}/questions/{item}/", {"review": True})
        read = each.connection.request("GET", f"{API}/attempts/{each.attempt}/questions/")
        if number % 2:
            reading.append(asyncio.create_task(sip(proxy, read, everything, connected)))
        else:  # some of them slow from the first byte on, some from the body on
            head = 0 if number % 4 else save.index(b"\r\n\r\n") + 4
            saving.append(asyncio.create_task(trickle(proxy, save, everything, connected, head=head)))
    for _ in slow:
        await connected.acquire()
    beside = await save_for(SECONDS, others, tally, "beside slow ones")
    everything.set()
    statuses, sizes = await asyncio.gather(*saving), await asyncio.gather(*reading)
    for each in students:
        each.connection.close()
    return tally, alone, beside, statuses, sizes


def test_slow_clients_do_not_slow_the_others(proxy, stage, exam):
    tally, alone, beside, statuses, sizes = asyncio.run(saves_beside_slow_clients(proxy, stage, exam))

    print(f"\np99 of saves: {alone:.3f} s alone, {beside:.3f} s beside {SLOW} slow clients")
    assert tally.errors == {}
    assert statuses == [200] * (SLOW // 2)
    assert min(sizes) > 1000
    assert beside < 3 * alone + 0.5  # without the proxy they would wait for the slow ones, so for minutes


def ask(proxy, method, path, body=None, *, token="", **headers):
    async def go():
        connection = SecureConnection(proxy, token)
        connection.headers = headers
        try:
            return await connection.ask(method, path, body)
        finally:
            connection.close()

    return asyncio.run(go())


def test_addresses_are_those_that_the_client_used(proxy, stage):
    _, _, me = ask(proxy, "GET", f"{API}/me/", token=stage["tokens"][0])

    assert me["url"].startswith(f"https://localhost:{proxy.port}/api/")


def test_what_a_client_says_of_itself_is_not_believed(proxy, site, stage, database):
    """Its scheme and its address are those that nginx sees."""
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    _, _, me = ask(proxy, "GET", f"{API}/me/", token=stage["tokens"][0], **forged)
    status, _, _ = ask(proxy, "POST", f"{API}/auth-token/", {"username": "nobody", "password": "x"}, **forged)

    assert me["url"].startswith("https://")
    assert status == 400
    with database() as connection:
        rows = connection.execute("SELECT DISTINCT address FROM accounts_loginfailure").fetchall()
    assert rows == [("127.0.0.1",)]


@pytest.mark.parametrize(
    ("path", "size", "key"),
    [
        (f"{API}/auth-token/", 2, "detail"),
        (f"{API}/users/1/", 20, "detail"),
        ("/api/v3/exams/1/attachments", 202, "error"),
    ],
)
def test_a_body_too_large_is_refused_in_the_apis_words_before_it_is_sent(path, size, key, proxy):
    async def go():
        connection = SecureConnection(proxy)
        connection.reader, connection.writer = await connection.open()
        length = size * 1024 * 1024 + 1
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        connection.writer.write(head.encode())
        try:
            return await connection.answer()
        finally:
            connection.close()

    status, headers, answer = asyncio.run(go())

    assert (status, answer) == (413, {key: "The request's body is too large."})
    assert headers["content-type"] == "application/json"


def test_a_body_as_large_as_the_server_takes_gets_through(proxy):
    body = {"username": "x", "password": ""}
    padding = 2 * 1024 * 1024 - len(json.dumps(body | {"more": ""}))

    status, _, answer = ask(proxy, "POST", f"{API}/auth-token/", body | {"more": "x" * padding})

    assert (status, answer) == (400, {"password": ["This field may not be blank."]})


def test_a_server_that_is_down_is_a_503_in_the_apis_words(proxy, site):
    site.server.stop()
    try:
        status, headers, answer = ask(proxy, "GET", f"{API}/me/")
    finally:
        site.start()

    assert (status, answer) == (503, {"detail": "The server is busy. Try again."})
    assert headers["retry-after"] == "1"
