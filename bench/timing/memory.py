#!/usr/bin/env python3
"""Is a password still in the memory of the server when it has been answered?

Starts a server of its own, sends passwords over its local socket by each way, and looks for them in everything that the
process has mapped: right after the answer, and once other requests have passed. Needs the right to read /proc/PID/mem.

    bench/timing/memory.py [target/release/keystead]
"""

import os
import sys

from server import SUFFIX, Server, element, octets, replace, simple_bind


def password_modify(name, old, new):
    fields = octets(name, 0x80) + octets(old, 0x81) + octets(new, 0x82)
    value = element(0x30, fields)
    return element(0x77, octets("1.3.6.1.4.1.4203.1.11.1", 0x80) + element(0x81, value))


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
        report(server)
    finally:
        server.stop()


def report(server):
    server.policy("pwdLockout", "FALSE")
    server.policy("pwdMinDelay")
    server.policy("pwdMaxDelay")
    alice, carol = (f"uid={uid},ou=people,{SUFFIX}" for uid in ("alice", "carol"))
    right = server.password(alice)
    ways = {
        "bind, right": (simple_bind(alice, right), right),
        "bind, wrong": (simple_bind(alice, "canary of a wrong bind"), "canary of a wrong bind"),
        "password modify, old": (password_modify(alice, "canary of an old one", "x" * 20), "canary of an old one"),
        "password modify, new": (password_modify(alice, right, "canary of a new one"), "canary of a new one"),
        "modify": (replace(carol, "userPassword", "canary of a modify"), "canary of a modify"),
    }
    for way, (request, secret) in ways.items():
        client = server.client()
        if way == "modify":
            client = server.root
        code = client.ask(request)
        at_once = occurrences(server.process.pid, secret.encode())
        for number in range(200):
            server.root.ask(replace(carol, "description", f"something else {number}"))
            client.ask(simple_bind("", ""))  if client is not server.root else None
        client_open = occurrences(server.process.pid, secret.encode())
        if client is not server.root:
            client.socket.close()
        for number in range(200):
            server.root.ask(replace(carol, "description", f"something else {number}"))
        later = occurrences(server.process.pid, secret.encode())
        print(f"{way:24} answered {code:2}   at once {at_once or 'nowhere'}, after 200 requests {client_open or 'nowhere'}, "
              f"after the connection closed {later or 'nowhere'}")


if __name__ == "__main__":
    main()
