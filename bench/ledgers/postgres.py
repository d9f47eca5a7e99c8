"""Postgres doing the same work: a server of its own in a temporary folder, driven by pgbench with prepared statements.

The server keeps its default durability: a transaction that is answered survives a power loss. Only the sizes that every
operator sets are set (`_SETTINGS`).
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledgers.workload import Demand, mean

CLIENTS: Final = (4, 8, 16)
_SCHEMA: Final = Path(__file__).parents[1] / "postgres" / "schema.sql"
_PLACES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/bin",
)
_PROGRAMS: Final = ("initdb", "pg_ctl", "psql", "pgbench")
_SETTINGS: Final = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "listen_addresses": "''",
    "autovacuum_naptime": "10s",
}
_OLDEST: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of pgbench."""

    clients: int
    tps: float
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    programs: Path
    version: str
    folder: Path
    rows: int
    user: str | None

    def pid(self) -> int:
        """Of the process from which all others of the server come."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])

    def run(self, scripts: Sequence[tuple[Path, int]], clients: int, seconds: float) -> Run:
        """Drives the server by so many clients for so long; scripts with their weights."""
        command = [str(self.programs / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
        command += ["-T", str(max(1, round(seconds))), *(f"-f{path}@{weight}" for path, weight in scripts)]
        said = _run([*command, "-h", str(self.folder), "-U", "bench", "postgres"], self.user)
        tps = re.search(r"tps = ([0-9.]+)", said)
        latency = re.search(r"latency average = ([0-9.]+) ms", said)
        if tps is None or latency is None:
            raise RuntimeError(f"pgbench said nothing about its speed: {said[:500]}")
        return Run(clients=clients, tps=float(tps[1]), latency_ms=float(latency[1]))


def find_programs() -> Path | None:
    """The folder of Postgres's programs, of version 15 or newer; None if it is not installed."""
    found = [Path(each).resolve().parent for each in filter(None, [shutil.which("initdb")])]
    found += [path for place in _PLACES for path in sorted(Path("/").glob(place.lstrip("/")), reverse=True)]
    whole = [path for path in found if all((path / program).exists() for program in _PROGRAMS)]
    return next((path for path in whole if _major(path) >= _OLDEST), None)


@contextmanager
def started(programs: Path, demands: Sequence[Demand], rows: int) -> Iterator[Server]:
    """A server with so many records, gone at the end of the block with everything that it wrote."""
    user = _somebody_else() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="freehold-postgres-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = folder / "data"
        _run([str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "--no-sync"], user)
        settings = "".join(f"{name} = {value}\n" for name, value in _SETTINGS.items())
        with (data / "postgresql.conf").open("a") as file:
            file.write(settings + f"unix_socket_directories = '{folder}'\n")
        _run([str(programs / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w", "start"], user)
        try:
            record = round(mean(demands)["record"])
            psql = [str(programs / "psql"), "-q", "-h", str(folder), "-U", "bench", "-v", "ON_ERROR_STOP=1"]
            variables = ["-v", f"rows={rows}", "-v", f"record={record}"]
            _run([*psql, *variables, "-f", str(_SCHEMA), "postgres"], user, _SCHEMA.read_text())
            _run([*psql, "-c", "VACUUM ANALYZE", "-c", "CHECKPOINT", "postgres"], user)
            yield Server(programs=programs, version=_version(programs), folder=folder, rows=rows, user=user)
        finally:
            _run([str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], user)


def scripts(server: Server, demands: Sequence[Demand]) -> list[tuple[Path, int]]:
    """One script of pgbench for each function, with its weight in the mix."""
    found = []
    for demand in demands:
        reads, changed = round(demand.reads), round(demand.updates)
        lines = [f"\\set r{i} random(1, {server.rows})" for i in range(reads)]
        lines.append("\\set place random(1, 4000)")
        keys = [f":r{i}" for i in range(reads)]
        # What is changed was read before, as on the ledger.
        old = keys[:changed]
        sizes = ", ".join(str(round(size)) for size in (demand.inserts, demand.record, demand.action, demand.result))
        lines.append(
            f"SELECT act(ARRAY[{', '.join(keys)}]::bigint[], ARRAY[{', '.join(old)}]::bigint[], {sizes}, :place);"
        )
        path = server.folder / f"{demand.function}.sql"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o644)
        found.append((path, max(1, round(1_000 * demand.share))))
        assert len(old) == changed, f"{demand.function} changes more than it reads"
    return found


def best(runs: Sequence[Run]) -> tuple[int, float]:
    """The number of clients with the highest middle of its runs, and that middle."""
    middles = {
        clients: statistics.median(run.tps for run in runs if run.clients == clients)
        for clients in {run.clients for run in runs}
    }
    clients = max(middles, key=lambda each: middles[each])
    return clients, middles[clients]


def _version(programs: Path) -> str:
    return subprocess.run([programs / "initdb", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _major(programs: Path) -> int:
    found = re.search(r"(\d+)", _version(programs).partition("PostgreSQL")[2])
    return int(found[1]) if found else 0


def _somebody_else() -> str:
    """Postgres does not run as root: whoever has no rights here."""
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def _run(command: Sequence[str], user: str | None, stdin: str | None = None) -> str:
    if stdin is not None:
        # Another user may not read the repository: the file goes in as input.
        command = ["-" if part == str(_SCHEMA) else part for part in command]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, user=user, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-800:]}")
    return done.stdout
