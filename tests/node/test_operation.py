"""Running a node for long, as its operator sees it: a real process, its lines, its pages, and how it ends."""

from __future__ import annotations

import datetime
import json
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from freehold.errors import Invalid, Unavailable
from freehold.ledger.embedded.ledger import EmbeddedLedger
from freehold.node.condition import REMEMBERED_SECONDS, Condition
from freehold.node.lines import Lines
from freehold.node.operators import operators_page
from freehold.node.runtime import found_network
from freehold.node.server import Node
from freehold.node.settings import Tls, read_settings, tls_context
from freehold.objects.folder import FolderStore
from freehold.ports.ledger import Engine
from tests.engines.embedded import embedded
from tests.engines.notebook import NETWORK

NODE = (sys.executable, "-m", "freehold", "node", "--port", "0", "--network")


def certificate(folder: Path) -> None:
    """A certificate for this machine that signs itself, and its key, as an operator would lay them down."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "node.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "node.key").write_bytes(secret)
    (folder / "node.key").chmod(0o600)


@contextmanager
def process(
    folder: Path, limit: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str, list[dict[str, Any]]]]:
    """`freehold node` on a free port: the process, its URL, and its lines as they come."""
    url_file = folder / "url"
    command = [*NODE, str(folder)]
    command += ["--url-file", str(url_file), "--log", "json"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines: list[dict[str, Any]] = []
    assert running.stderr is not None
    stream = running.stderr
    reader = threading.Thread(target=lambda: lines.extend(json.loads(line) for line in stream), daemon=True)
    reader.start()
    until = time.monotonic() + 30
    while not url_file.exists() and time.monotonic() < until and running.poll() is None:
        time.sleep(0.05)
    try:
        yield running, url_file.read_text().strip(), lines
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)
        reader.join(10)
        stream.close()


def test_a_node_speaks_tls_shows_its_metrics_and_ends_with_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    found_network(folder, NETWORK)
    certificate(folder)
    (folder / "node.toml").write_text(
        'operators = "127.0.0.1:0"\n[tls]\ncertificate = "node.pem"\nkey = "node.key"\n', encoding="utf-8"
    )
    with process(folder) as (running, url, lines):
        trusted = ssl.create_default_context(cafile=str(folder / "node.pem"))
        secure = url.replace("127.0.0.1", "localhost")
        info = httpx.get(secure, verify=trusted)
        with pytest.raises(httpx.ConnectError):
            httpx.get(secure)
        pages = next(line["operators"] for line in lines if line["event"] == "started")
        ready = httpx.get(f"{pages}/ready")
        metrics = httpx.get(f"{pages}/metrics")
        assert httpx.get(f"{pages}/health").json() == {"alive": True}

    assert url.startswith("https://")
    assert info.status_code == 200
    assert (ready.status_code, ready.json()["writes"]) == (200, True)
    assert 'freehold_requests_total{page="/",status="200"} 1\n' in metrics.text
    assert running.returncode == 0
    assert [line["event"] for line in lines if line["event"] in ("started", "stopped")] == ["started", "stopped"]


def test_a_node_out_of_descriptors_says_so_once_goes_on_and_takes_connections_again_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    found_network(folder, NETWORK)
    with process(folder) as (running, url, lines), httpx.Client(base_url=url) as standing:
        assert standing.get("/").status_code == 200
        host, port = url.removeprefix("http://").split(":")
        # As if something else of the process had taken the rest.
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (80, 80))
        many = []
        for _ in range(150):
            line = socket.socket()
            line.settimeout(2)
            line.connect((host, int(port)))
            many.append(line)
        time.sleep(1.5)
        during = standing.get("/checkpoint").status_code
        for line in many:
            line.close()
        time.sleep(1.5)
        after = httpx.get(url, timeout=10).status_code

    assert (during, after) == (200, 200)
    events = [line["event"] for line in lines]
    assert events.count("out of descriptors") == 1
    assert "failed" not in events


def test_too_few_descriptors_for_the_connections_are_named_before_anything_starts(tmp_path: Path) -> None:
    folder = tmp_path / "market"
    found_network(folder, NETWORK)
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -n 100; exec "$@"', "sh", *NODE, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 4
    assert "LimitNOFILE" in done.stderr + done.stdout


def test_a_node_that_cannot_write_is_not_ready_until_a_write_succeeds_again(tmp_path: Path) -> None:
    now = 0.0
    told = StringIO()
    with embedded(tmp_path) as ledger:
        condition = Condition(ledger, Lines("json", told), clock=lambda: now)
        assert condition.reason() is None
        condition.trouble(Unavailable("the disk is full", retry_after=1))
        condition.trouble(Unavailable("the disk is full", retry_after=1))
        assert condition.reason() == "the disk is full"
        condition.outcomes([ledger.submit(b'{"amount":1,"do":"add","name":"c","nonce":1,"to":"%s"}' % (b"a1" * 32))])
        assert condition.reason() is None
        condition.trouble(Unavailable("the disk is full", retry_after=1))
        now += REMEMBERED_SECONDS + 1
        assert condition.reason() is None

    events = [json.loads(line)["event"] for line in told.getvalue().splitlines()]
    assert events == ["writes fail", "writes resumed", "writes fail"]


class Validating:
    """A ledger of several operators, as far as its operator's pages ask it."""

    def __init__(self, ledger: EmbeddedLedger) -> None:
        self._ledger = ledger
        self.ahead: int | None = 3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def behind(self) -> int:
        if self.ahead is None:
            raise Unavailable("the node does not answer")
        return self.ahead

    def trusted_header(self) -> tuple[int, str]:
        return 1_234, "5D" * 32


@contextmanager
def shown(engine: Engine, folder: Path) -> Iterator[str]:
    """The pages of the operator of a node, which serves meanwhile."""
    node = Node(engine, FolderStore(folder), port=0)
    thread = threading.Thread(target=node.run)
    thread.start()
    try:
        with operators_page(node, "127.0.0.1:0") as pages:
            yield pages
    finally:
        node.stop()
        thread.join()


def test_an_operator_among_several_sees_how_far_its_node_is_behind_and_what_to_tell_newcomers(tmp_path: Path) -> None:
    with embedded(tmp_path) as engine:
        several = Validating(engine)
        with shown(cast("Engine", several), tmp_path / "one") as pages, shown(engine, tmp_path / "two") as alone:
            assert httpx.get(f"{pages}/header").json() == {"height": 1_234, "hash": "5D" * 32}
            assert "freehold_behind_blocks 3\n" in httpx.get(f"{pages}/metrics").text
            several.ahead = None
            unknown = httpx.get(f"{pages}/metrics").text
            assert "# TYPE freehold_behind_blocks gauge\n" in unknown
            assert "freehold_behind_blocks 3" not in unknown
            assert httpx.get(f"{alone}/header").status_code == 404
            assert "behind" not in httpx.get(f"{alone}/metrics").text


def test_a_clock_that_jumps_is_told_and_one_that_drifts_is_not(tmp_path: Path) -> None:
    told = StringIO()
    with embedded(tmp_path) as ledger:
        condition = Condition(ledger, Lines("json", told))
        for wall, steady in ((1000.0, 0.0), (1001.1, 1.0), (1002.2, 2.0), (5602.2, 3.0), (5603.2, 4.0), (1004.0, 5.0)):
            condition.look_at_clock(wall, steady)

    assert [round(json.loads(line)["seconds"]) for line in told.getvalue().splitlines()] == [4599, -4600]
    assert condition.jumps == 2


def test_a_node_that_stops_is_not_ready_while_it_lets_what_began_end(tmp_path: Path) -> None:
    with embedded(tmp_path) as ledger:
        node = Node(ledger, FolderStore(tmp_path / "objects"), port=0)
        ready = threading.Event()
        thread = threading.Thread(target=node.run, args=(lambda _: ready.set(),))
        thread.start()
        ready.wait(10)
        with operators_page(node, "127.0.0.1:0") as pages:
            before = httpx.get(f"{pages}/ready").status_code
            node.stop()
            thread.join(10)
            after = httpx.get(f"{pages}/ready")

    assert before == 200
    assert (after.status_code, after.json()["reason"]) == (503, "the node is stopping")


def test_lines_never_break_and_repeat_themselves_once_a_minute() -> None:
    told = StringIO()
    lines = Lines("text", told)
    lines.tell("started", url="http://x\nlevel=forged \x1b[31m")
    for _ in range(1_000):
        lines.seldom("refused by rate", key="6.6.6.6", address="6.6.6.6")

    assert told.getvalue().count("\n") == 2
    assert "\x1b" not in told.getvalue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conections = 3", "no setting"),
        ("connections = 0", "not usable"),
        ("[tls]\ncertificate = 'a'", "not usable"),
        ("[address_rate]\nper_second = -1\nburst = 1", "not usable"),
        ("[", "not TOML"),
        ("log = 'xml'", "not usable"),
        ("operators = 'everywhere'", "not usable"),
    ],
)
def test_settings_that_are_wrong_are_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(text, encoding="utf-8")

    with pytest.raises(Invalid, match=said):
        read_settings(tmp_path)


def test_a_key_that_others_can_read_and_a_certificate_of_another_key_are_not_used(tmp_path: Path) -> None:
    certificate(tmp_path)
    assert tls_context(Tls(certificate="node.pem", key="node.key"), tmp_path).minimum_version == ssl.TLSVersion.TLSv1_2
    other = tmp_path / "other"
    other.mkdir()
    certificate(other)
    with pytest.raises(Invalid, match="cannot be used"):
        tls_context(Tls(certificate="node.pem", key="other/node.key"), tmp_path)
    (tmp_path / "node.key").chmod(0o644)
    with pytest.raises(Invalid, match="open to others"):
        tls_context(Tls(certificate="node.pem", key="node.key"), tmp_path)
