#!/usr/bin/env python3
"""Is a password still in the memory of the server when it has been answered?

Starts a server of its own, sends passwords over its local socket and over TLS, by each way, and looks for them in everything that the
process has mapped: right after the answer, and once other requests have passed. Needs the right to read /proc/PID/mem.

The verdict is the exit status: 0 where nothing is left of what came over the local socket, and no more copies of what came over TLS
than the library for it keeps in its buffers; 1 where there is more; 2 where the memory may not be read.

    bench/timing/memory.py [target/release/keystead]
"""

import os
import sys

from server import SUFFIX, Server, element, octets, replace, simple_bind


# Copies that the library for TLS keeps in its buffers until they are used again.
OF_TLS = 2


def password_modify(name, old, new):
    fields = octets(name, 0x80) + octets(old, 0x81) + octets(new, 0x82)
    value = element(0x30, fields)
    return element(0x77, octets("1.3.6.1.4.1.4203.1.11.1", 0x80) + element(0x81, value))


def compare(name, attribute, value):
    return element(0x6E, octets(name) + element(0x30, octets(attribute) + octets(value)))


def occurrences(pid, secret):
    """Where in the memory of a process the octets are: the names of the mappings, and how often."""
    found = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, _, _, _, *name = line.split()
            if "r" not in rights or name and name[0] in ("[vvar]", "[vsyscall]"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            count = 0
            # In pieces that overlap, since some mappings are large.
            for at in range(start, end, 16 << 20):
                try:
                    memory.seek(at)
                    count += memory.read(min(end - at, (16 << 20) + len(secret) - 1)).count(secret)
                except (OSError, ValueError, OverflowError):
                    break
            if count:
                key = name[0] if name else "anonymous"
                found[key] = found.get(key, 0) + count
    return found


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/keystead"
    server = Server(program, log_level="trace")
    try:
        left = report(server)
    except PermissionError as refused:
        print(f"CANNOT TELL: {refused}")
        sys.exit(2)
    finally:
        server.stop()
    if left:
        print(f"VIOLATED: left in memory: {', '.join(left)}")
        sys.exit(1)
    print(f"HOLDS: nothing is left over the local socket, and at most {OF_TLS} copies over TLS")


def report(server):
    left = []
    server.policy("pwdLockout", "FALSE")
    server.policy("pwdMinDelay")
    server.policy("pwdMaxDelay")
    right = server.password(f"uid=alice,ou=people,{SUFFIX}")
    for transport, connect in (("local socket", server.client), ("TLS", server.tls_client)):
        for way, (request, secret) in ways(transport, right).items():
            client = connect()
            code = client.ask(request)
            at_once = occurrences(server.process.pid, secret.encode())
            others(server, client)
            open_still = occurrences(server.process.pid, secret.encode())
            client.socket.close()
            others(server)
            closed = occurrences(server.process.pid, secret.encode())
            print(
                f"{transport:12} {way:22} answered {code:2}   at once {at_once or 'nowhere'}, after other requests "
                f"{open_still or 'nowhere'}, after the connection closed {closed or 'nowhere'}"
            )
            most = OF_TLS if transport == "TLS" else 0
            if any(sum(found.values()) > most for found in (at_once, open_still, closed)):
                left.append(f"{way} ({transport})")
    return left


def ways(transport, right):
    """Requests with a password in them, and the password."""
    alice = f"uid=alice,ou=people,{SUFFIX}"
    wrong, old, new, modify, compared = (
        f"canary of {what}, {transport}" for what in ("a wrong bind", "an old one", "a new one", "a modify", "a compare")
    )
    return {
        "bind, right": (simple_bind(alice, right), right),
        "bind, wrong": (simple_bind(alice, wrong), wrong),
        "old password": (password_modify(alice, old, "x" * 20), old),
        "new password, refused": (password_modify(alice, right, new[:12]), new[:12]),
        "modify, not bound": (replace(alice, "userPassword", modify), modify),
        "compare, not bound": (compare(alice, "userPassword", compared), compared),
    }


def others(server, *clients):
    """Requests of others, and of the client itself if it is still there."""
    for number in range(200):
        server.root.ask(replace(f"uid=carol,ou=people,{SUFFIX}", "description", f"something else {number}"))
        for client in clients:
            client.ask(simple_bind("", ""))


if __name__ == "__main__":
    main()
