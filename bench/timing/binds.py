#!/usr/bin/env python3
"""Does the time of a refused bind tell why it was refused?

Starts a server of its own with the usual hashes and binds as a name that does not exist, as an account that is locked, disabled or
has no password, as one whose password another server has hashed, and with a wrong password, in turn and each time in another
order. Prints the medians and by how much each differs from that of the wrong password. For comparison the right one is measured as
well, also that of a disabled account: whoever gives it is told by the password policy control that the account is closed.

The verdict is the exit status: 0 where every median is within 5 %, 1 where one is not, and 2 where the machine is too restless
to tell, since some kind does not even agree with itself.

    bench/timing/binds.py [target/release/keystead] [binds of each kind]
"""

import base64
import itertools
import random
import statistics
import sys
import time

from server import SUFFIX, Server, replace, simple_bind

# By so much a median may differ, in percent.
BOUND = 5.0
# The two halves of the same kind may differ by so much, or nothing can be said.
NOISE = 4.0
# What shows that the password is right is measured for comparison only.
COMPARED_ONLY = ("right", "disabled, right password")


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/keystead"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    server = Server(program, more_config="[password]\nspray_source_accounts = 0\nspray_guess_accounts = 0\n")
    try:
        times = measure(server, rounds)
    finally:
        server.stop()
    sys.exit(verdict(times))


def verdict(times):
    wrong = statistics.median(times["wrong"])
    apart = {kind: 100 * (statistics.median(list_of_times) / wrong - 1) for kind, list_of_times in times.items()}
    for kind, list_of_times in times.items():
        spread = statistics.quantiles(list_of_times, n=10)
        print(
            f"{kind:24} median {statistics.median(list_of_times):8.3f} ms   {apart[kind]:+6.2f} %"
            f"   p10 {spread[0]:8.3f}   p90 {spread[-1]:8.3f}"
        )
    judged = [kind for kind in times if kind not in COMPARED_ONLY]
    noise, restless = max((halves_apart(times[kind]), kind) for kind in judged)
    if noise > NOISE:
        print(f"CANNOT TELL: the two halves of \"{restless}\" are {noise:.2f} % apart; measure on a quiet machine")
        return 2
    told = [kind for kind in judged if abs(apart[kind]) > BOUND]
    if told:
        print(f"VIOLATED: {', '.join(told)}: more than {BOUND:g} % from a wrong password")
        return 1
    print(f"HOLDS: no refusal is more than {BOUND:g} % from a wrong password (noise {noise:.2f} %)")
    return 0


def halves_apart(list_of_times):
    """By how much every other time differs from the rest, in percent."""
    first, second = (statistics.median(list_of_times[half::2]) for half in (0, 1))
    return 100 * abs(first / second - 1)


def measure(server, rounds):
    # Answers are not held back, and nothing else locks the account that guesses are made at.
    server.policy("pwdMinDelay")
    server.policy("pwdMaxDelay")
    server.policy("pwdLockout", "TRUE")
    server.policy("pwdMaxFailure", "0")
    person = lambda uid: f"uid={uid},ou=people,{SUFFIX}"
    app = f"cn=app,ou=services,{SUFFIX}"
    imported = "{SSHA}" + base64.b64encode(b"x" * 20 + b"salt").decode()
    for name, attribute, *values in (
        (person("bob"), "pwdAccountLockedTime", "000001010000Z"),
        (person("hanna"), "pwdEndTime", "20200101000000Z"),
        (app, "userPassword", imported),
    ):
        assert server.root.ask(replace(name, attribute, *values)) == 0, name
    numbers = itertools.count()
    wrong = "always the same wrong one"
    kinds = {
        "wrong": (lambda: simple_bind(person("alice"), wrong), 49),
        "wrong, always another": (lambda: simple_bind(person("alice"), f"wrong {next(numbers)}"), 49),
        "unknown name": (lambda: simple_bind(person("nobody"), wrong), 49),
        "unknown uid": (lambda: simple_bind("u:nobody", wrong), 49),
        "locked": (lambda: simple_bind(person("bob"), wrong), 49),
        "locked, right password": (lambda: simple_bind(person("bob"), server.password(person("bob"))), 49),
        "disabled": (lambda: simple_bind(person("hanna"), wrong), 49),
        "disabled, right password": (lambda: simple_bind(person("hanna"), server.password(person("hanna"))), 49),
        "without a password": (lambda: simple_bind(f"ou=people,{SUFFIX}", wrong), 49),
        "imported {SSHA}": (lambda: simple_bind(app, wrong), 49),
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
