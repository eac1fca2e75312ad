"""A server of its own for a measurement, and a client that binds: standard library only."""

import os
import socket
import ssl
import subprocess
import tempfile

SUFFIX = "dc=example,dc=com"


def element(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def octets(text, tag=0x04):
    return element(tag, text.encode())


def simple_bind(name, password):
    return element(0x60, b"\x02\x01\x03" + octets(name) + octets(password, 0x80))


def external_bind():
    return element(0x60, b"\x02\x01\x03" + octets("") + element(0xA3, octets("EXTERNAL")))


def replace(name, attribute, *values):
    change = octets(attribute) + element(0x31, b"".join(octets(value) for value in values))
    changes = element(0x30, b"\x0a\x01\x02" + element(0x30, change))
    return element(0x66, octets(name) + element(0x30, changes))


class Client:
    def __init__(self, connected):
        self.socket = connected

    def ask(self, request):
        """Sends a request, and returns the result code of the answer."""
        self.socket.sendall(element(0x30, b"\x02\x01\x01" + request))
        answer = self.socket.recv(65536)
        return answer[answer.index(b"\x0a\x01") + 2]


class Server:
    """`keystead init --example` in a folder of its own, served."""

    def __init__(self, program, log_level="warn", more_config=""):
        self.folder = tempfile.TemporaryDirectory()
        self.data = os.path.join(self.folder.name, "data")
        listen = [word for url in ("ldaps://127.0.0.1:0", "ldapi://socket") for word in ("--listen", url)]
        init = [program, "init", "--example", "--suffix", SUFFIX, "--data", self.data, *listen]
        subprocess.run(init, check=True, capture_output=True)
        config = os.path.join(self.data, "keystead.toml")
        with open(config, encoding="utf-8") as file:
            text = file.read().replace('level = "info"', f'level = "{log_level}"')
        with open(config, "w", encoding="utf-8") as file:
            file.write(text + more_config)
        self.log = open(os.path.join(self.folder.name, "log"), "wb")
        self.process = subprocess.Popen(
            [program, "serve", "--config", config], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        for _ in range(2):
            line = self.process.stdout.readline()
            if not line.startswith("Listening"):
                raise SystemExit(f"the server did not start: {line}")
            if "ldaps://" in line:
                self.tls_port = int(line.rsplit(":", 1)[1])
        root = self.client()
        assert root.ask(external_bind()) == 0
        self.root = root

    def client(self):
        """A connection over the local socket."""
        local = socket.socket(socket.AF_UNIX)
        local.connect(os.path.join(self.data, "socket"))
        return Client(local)

    def tls_client(self):
        """A connection over TLS, to the certificate that `init` has made."""
        context = ssl.create_default_context(cafile=os.path.join(self.data, "tls", "ca.crt"))
        raw = socket.create_connection(("127.0.0.1", self.tls_port))
        return Client(context.wrap_socket(raw, server_hostname="localhost"))

    def password(self, name):
        with open(os.path.join(self.data, "example-passwords"), encoding="utf-8") as file:
            return next(line.rstrip("\n").split("\t")[1] for line in file if line.startswith(name))

    def policy(self, attribute, *values):
        assert self.root.ask(replace(f"cn=default,ou=policies,{SUFFIX}", attribute, *values)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()
