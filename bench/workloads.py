"""What is measured: each a workload of the load generator with its options."""

import dataclasses
import itertools

_batches = itertools.count(1)


@dataclasses.dataclass
class Workload:
    """One workload."""

    name: str
    command: str
    connections: int = 16
    outstanding: int = 1
    tls: bool = False
    argon2: bool = False
    warmup: float = 1
    more: dict = dataclasses.field(default_factory=dict)

    def options(self, server):
        """The options of one run."""
        return {"conns": self.connections, "pipeline": self.outstanding} | self.more

    def after(self, server, measured):
        """What is to be noted after a run."""


class Scan(Workload):
    """Reads every entry, and looks at the memory that the server has then."""

    def after(self, server, measured):
        measured |= {"resident_mib": server.memory()["VmRSS"]}


class Add(Workload):
    """Adds entries that are new in each run."""

    def options(self, server):
        return super().options(server) | {"range-start": next(_batches) * 1_000_000}

    def after(self, server, measured):
        server.added.append((measured["range_start"], measured["range_next"]))


class Delete(Workload):
    """Deletes what an earlier run has added."""

    def options(self, server):
        start, end = server.added.pop()
        return super().options(server) | {"range-start": start, "range-count": end - start}


class Idle(Workload):
    """Opens connections and looks at what they cost."""

    def options(self, server):
        return {"conns": self.connections} | self.more


WORKLOADS = [
    Workload("search uid=x, c16 p1", "search-eq"),
    Workload("search uid=x, c16 p16", "search-eq", outstanding=16),
    Workload("search uid=x, c1 p1", "search-eq", connections=1),
    Workload("search uid=x, TLS, c16 p1", "search-eq", tls=True),
    Workload("base read by DN, c16", "search-base"),
    Workload("(&(objectClass=inetOrgPerson)(uid=x)), c16", "search-and"),
    Workload("(member=dn), c16", "search-member"),
    Workload("missing uid, c16", "search-miss"),
    Workload("sn=ab*, c16", "search-substring", more={"attrs": "cn,mail"}),
    Scan("paged scan, c1", "search-presence", connections=1),
    Scan("paged scan, c4", "search-presence", connections=4),
    Workload("compare, c16", "compare"),
    Workload("bind SSHA, c16", "bind"),
    Workload("bind Argon2id, c16", "bind", argon2=True),
    Workload("bind of one service account, Argon2id, c16", "bind", argon2=True, more={"users": 1}),
    Workload("bind storm: 64 bind with Argon2id, 16 search", "bindstorm", argon2=True, more={"bind-conns": 64}),
    Workload("connect + TLS + bind + unbind, c16", "bind-reconnect", tls=True),
    Workload("modify, c1", "modify", connections=1),
    Workload("modify, c16", "modify"),
    Workload("modify, c64", "modify", connections=64),
    Workload("password modify by an administrator, TLS, c16", "passmod", tls=True),
    Workload("password modify by oneself, TLS, c16", "passmod-self", tls=True),
    Add("add, c1", "add", connections=1),
    Add("add, c16", "add"),
    Delete("delete, c16", "delete", warmup=0),
    Workload("mixed 90/9/1, c16", "mixed"),
    Idle("idle TLS connections", "idle", connections=2000, tls=True),
    Idle("10,000 idle TLS connections", "idle", connections=10_000, tls=True),
]
