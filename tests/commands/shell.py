"""The command line, for tests."""

import io
import json
from typing import Any

import pytest

from skeldir import cli


class Shell:
    """Runs the command line in this process, as `python -m skeldir` would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def run(self, *arguments: str, stdin: str = "", ends: int = 0) -> tuple[str, str]:
        self._monkeypatch.setattr("sys.argv", ["skeldir", *arguments])
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = self._capsys.readouterr()
        assert (ended.value.code or 0) == ends, printed
        return printed.out, printed.err

    def json(self, *arguments: str, stdin: str = "") -> Any:
        out, _ = self.run(*arguments, "--json", stdin=stdin)
        return json.loads(out)
