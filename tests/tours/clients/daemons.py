"""Programs that keep running while others ask them."""

import subprocess
import threading


def start(command, ready, **more):
    """Starts a daemon, and reads what it says until it says that it is ready."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **more
    )
    said = ""
    for line in process.stdout:
        said += line
        if ready in line:
            # It waits for somebody to read what else it says.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return process
    raise SystemExit(f"{command[0]} did not start: {said}")
