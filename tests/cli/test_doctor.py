import json
import os
from collections import namedtuple

import pytest

from gradlab.cli.doctor import main

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("load", [0.0, 1000.0])
def test_a_busy_machine_is_noted_and_still_fit(monkeypatch, capsys, load):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    assert main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    notes = [check["finding"] for check in found["checks"] if check["state"] == "note"]
    assert found["ok"]
    assert found["environment"]["cores"] >= 1
    assert len(notes) == (load > 0)
    assert all("load 1000.0" in note for note in notes)


def test_a_full_disk_needs_mending(monkeypatch, capsys):
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Usage(10**9, 10**9, 5))
    assert main([]) == 1
    assert any(line.startswith("MEND  runs in") for line in capsys.readouterr().out.splitlines())
