"""Clients of the signed API, in the manner of the published ones; they share no code with the server."""

import hashlib
import hmac
import itertools
import json
import time
from urllib.parse import quote, urlencode

from rest_framework.test import APIClient

from accounts import credentials

BODY_403 = {"error": "You are not authorized to access this page."}
ACCEPT = "application/vnd.procwise.v3"
BOUNDARY = "0123456789abcdef"
nonces = itertools.count(1_000_000_000)


def base_string(parameters):
    """What is signed: lists as JSON, all else as text."""
    texts = {name: json.dumps(value) if isinstance(value, list) else str(value) for name, value in parameters.items()}
    return "?".join(f"{name}={texts[name]}" for name in sorted(texts))


def sign(secret, parameters):
    return hmac.new(secret.encode(), base_string(parameters).encode(), hashlib.sha256).hexdigest()


def multipart(fields, files=(), *, files_first=False, boundary=BOUNDARY):
    """A body; `files`: (field, file name, content, type), the type None for none."""
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields]
    file_parts = []
    for field, name, content, content_type in files:
        name = name.encode() if isinstance(name, str) else name
        head = b'Content-Disposition: form-data; name="%s"; filename="%s"' % (field.encode(), name)
        if content_type is not None:
            head += b"\r\nContent-Type: " + content_type.encode()
        file_parts.append(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head, content))
    parts = file_parts + parts if files_first else parts + file_parts
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


class SignedClient(APIClient):
    """Signs and sends. `call` checks the status and gives the decoded answer; the last response is in `response`.

    `key` and `secret` may be changed.
    """

    def __init__(self, user):
        super().__init__(HTTP_HOST="localhost")
        self.credential, self.secret = credentials.create(user)
        self.key = self.credential.key

    def stamped(self, parameters):
        """The parameters with a nonce and the time."""
        return {"nonce": next(nonces), "timestamp": int(time.time() * 1000)} | parameters

    def path(self, exam, pk=None):
        return f"/api/v3/exams/{quote(str(getattr(exam, 'pk', exam)), safe='')}/attachments" + (
            "" if pk is None else f"/{quote(str(pk), safe='')}"
        )

    def signed(self, exam, pk=None, parameters=(), *, sent=()):
        """All parameters of a call, those of the path included, with their signature; `sent` changes some after it."""
        inside = {"exam_id": getattr(exam, "pk", exam)} | ({} if pk is None else {"id": pk})
        named = self.stamped(inside | dict(parameters))
        return named | {"signature": sign(self.secret, named)} | dict(sent)

    def call(
        self, method, exam, pk=None, parameters=(), *, status=200, sent=(), where="query", path_sent=True, **extra
    ):
        """One call. `where` the parameters stand: query, json or form; `path_sent`: those of the path are there too."""
        named = self.signed(exam, pk, parameters, sent=sent)
        if not path_sent:
            named = {name: value for name, value in named.items() if name not in ("exam_id", "id")}
        named = {name: value for name, value in named.items() if value is not None}
        path = extra.pop("path", None) or self.path(exam, pk)
        if where == "query":
            return self.send(method, f"{path}?{urlencode(named)}", status=status, **extra)
        if where == "json":
            return self.send(method, path, json.dumps(named), "application/json", status=status, **extra)
        return self.send(method, path, urlencode(named), "application/x-www-form-urlencoded", status=status, **extra)

    def upload(self, exam, content=b"content", name="image.jpg", content_type="image/jpeg", *, status=201, **options):
        """A multipart POST; `files` instead of the one file, `files_first`, `parameters`, `sent`."""
        files = options.pop("files", [("document", name, content, content_type)])
        named = self.signed(exam, None, options.pop("parameters", ()), sent=options.pop("sent", ()))
        body = multipart(named.items(), files, files_first=options.pop("files_first", False))
        body = options.pop("cut", lambda body: body)(body)
        return self.send(
            "POST", self.path(exam), body, f"multipart/form-data; boundary={BOUNDARY}", status=status, **options
        )

    def send(self, method, path, body=b"", content_type="", *, status=200, **extra):
        extra = {"HTTP_AUTHORIZATION": f"Token token={self.key}", "HTTP_ACCEPT": ACCEPT} | extra
        self.response = self.generic(method, path, body, content_type, **extra)
        assert self.response.status_code == status, (self.response.status_code, self.response.content[:2000])
        return self.response.json()
