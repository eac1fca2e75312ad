"""Tables of what was measured."""

import collections
import statistics


def _median(runs, key):
    return statistics.median(run.get(key, 0) for run in runs)


def _rate(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _cell(name, runs):
    """What one server did in one workload."""
    if fatal := next((run["fatal"] for run in runs if "fatal" in run), None):
        return fatal
    if "ops_s" not in runs[0]:
        return ", ".join(f"{key} {value}" for key, value in runs[0].items() if key not in ("server", "name", "round"))
    text = f"{_rate(_rate_of(name, runs))}/s, p50 {_median(runs, 'p50_us') / 1000:.2f}, p99 {_median(runs, 'p99_us') / 1000:.2f} ms"
    text += f", {_median(runs, 'server_cpu_us_op'):.1f} us"
    for kind in ("search", "bind", "modify"):
        parts = [run[kind] for run in runs if kind in run]
        if parts:
            text += f"; {kind} {_rate(_median(parts, 'ops_s'))}/s p99 {_median(parts, 'p99_us') / 1000:.1f} ms"
    if "resident_mib" in runs[0]:
        text += f"; {_median(runs, 'resident_mib')} MiB resident"
    wrong = sum(run["errors_n"] + run["invalid"] for run in runs)
    return text + (f" **{wrong} wrong: {runs[0]['errors']}**" if wrong else "")


def _rate_of(name, runs):
    return _median(runs, "entries_s" if "scan" in name else "ops_s")


def print_table(results, heading=True):
    """Prints one row for each workload: rate, latency, CPU time of the server for one operation, and ratios."""
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    for result in results:
        rows[result["name"]][result["server"]].append(result)
    servers = list(dict.fromkeys(result["server"] for result in results))
    if heading:
        print("| workload | " + " | ".join(servers) + " | rate / slapd | CPU / slapd |")
        print("|---" * (len(servers) + 3) + "|")
    for name, by_server in rows.items():
        cells = [_cell(name, by_server[server]) if by_server[server] else "" for server in servers]
        print(f"| {name} | " + " | ".join(cells) + " | " + " | ".join(_ratios(name, by_server)) + " |", flush=True)


def _ratios(name, by_server):
    own, others = by_server.get("keystead"), [runs for server, runs in by_server.items() if server.startswith("slapd")]
    if not own or not others or "ops_s" not in own[0] or any("ops_s" not in runs[0] for runs in others):
        return "", ""
    best = max(_rate_of(name, runs) for runs in others)
    cpu = min(_median(runs, "server_cpu_us_op") for runs in others)
    return (f"{_rate_of(name, own) / best:.2f}" if best else "", f"{_median(own, 'server_cpu_us_op') / cpu:.2f}" if cpu else "")
