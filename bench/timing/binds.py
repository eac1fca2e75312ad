#!/usr/bin/env python3
"""Does the time of a refused bind tell why it was refused?

Starts a server of its own with the usual hashes and binds as a name that does not exist, as an account that is locked, and
with a wrong password, in turn; prints the medians and by how much they differ from that of the wrong password. A password
that is wrong in another way each time is measured as well, and for comparison one that is right.

    bench/timing/binds.py [target/release/keystead] [binds of each kind]
"""

import itertools
import random
import statistics
import sys
import time

from server import SUFFIX, Server, replace, simple_bind


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/keystead"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    server = Server(program, more_config="[password]\nspray_source_accounts = 0\nspray_guess_accounts = 0\n")
    try:
        times = measure(server, rounds)
    finally:
        server.stop()
    wrong = statistics.median(times["wrong"])
    for kind, list_of_times in times.items():
        median = statistics.median(list_of_times)
        spread = statistics.quantiles(list_of_times, n=10)
        print(
            f"{kind:24} median {median:8.3f} ms   {100 * (median / wrong - 1):+6.2f} %"
            f"   p10 {spread[0]:8.3f}   p90 {spread[-1]:8.3f}"
        )


def measure(server, rounds):
    # Answers are not held back, and nothing else locks the account that guesses are made at.
    server.policy("pwdMinDelay")
    server.policy("pwdMaxDelay")
    server.policy("pwdLockout", "TRUE")
    server.policy("pwdMaxFailure", "0")
    person = lambda uid: f"uid={uid},ou=people,{SUFFIX}"
    assert server.root.ask(replace(person("bob"), "pwdAccountLockedTime", "000001010000Z")) == 0
    numbers = itertools.count()
    kinds = {
        "wrong": (lambda: simple_bind(person("alice"), "always the same wrong one"), 49),
        "wrong, always another": (lambda: simple_bind(person("alice"), f"wrong {next(numbers)}"), 49),
        "unknown name": (lambda: simple_bind(person("nobody"), "always the same wrong one"), 49),
        "unknown uid": (lambda: simple_bind("u:nobody", "always the same wrong one"), 49),
        "locked": (lambda: simple_bind(person("bob"), "always the same wrong one"), 49),
        "locked, right password": (lambda: simple_bind(person("bob"), server.password(person("bob"))), 49),
        "right": (lambda: simple_bind(person("carol"), server.password(person("carol"))), 0),
    }
    client = server.client()
    times = {kind: [] for kind in kinds}
    for number in range(rounds + 5):
        # In another order each time, so that none always follows the same.
        for kind in random.sample(list(kinds), len(kinds)):
            request, code = kinds[kind]
            request = request()
            begun = time.perf_counter()
            answered = client.ask(request)
            took = 1000 * (time.perf_counter() - begun)
            assert answered == code, (kind, answered)
            if number >= 5:
                times[kind].append(took)
    return times


if __name__ == "__main__":
    main()
