import pytest

from tests.engines.engines import COMETBFT, FABRIC


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was left out because a program is not installed."""
    if not COMETBFT:
        terminalreporter.write_line("nothing ran on CometBFT (make test-cometbft)")
    if not FABRIC:
        terminalreporter.write_line("nothing ran on Hyperledger Fabric (FREEHOLD_FABRIC=DIR make test-fabric)")
