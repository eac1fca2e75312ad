"""Runs a command on a terminal of its own and types answers to its prompts.

Standard input holds JSON: {"command": [...], "answers": [[prompt, answer], ...]}. The answers are typed in turn, each when
its prompt has been shown. What the command shows goes to standard output; its exit status is this program's.
"""

import json
import os
import pty
import signal
import sys

# A prompt that never comes is a failure.
signal.alarm(25)
task = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(task["command"][0], task["command"])

shown = b""
answers = [(prompt.encode(), answer.encode()) for prompt, answer in task["answers"]]
seen = 0
while True:
    if answers and answers[0][0] in shown[seen:]:
        prompt, answer = answers.pop(0)
        seen = shown.index(prompt, seen) + len(prompt)
        os.write(terminal, answer + b"\n")
    try:
        octets = os.read(terminal, 4096)
    except OSError:  # The command has ended.
        break
    if not octets:
        break
    shown += octets

_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(status))
