"""The files that benches leave."""

import json

import pytest

from bench import record


@pytest.mark.parametrize(
    ("processor", "folder"),
    [
        ("Intel(R) Xeon(R) Processor", "intel-xeon-processor"),
        ("AMD EPYC AVX2", "amd-epyc-avx2"),
        ("AMD EPYC AVX-512 with bfloat16", "amd-epyc-avx-512-with-bfloat16"),
        ("Intel(R) Core(TM) i7-1260P", "intel-core-i7-1260p"),
        ("", "unknown"),
    ],
)
def test_each_kind_of_machine_has_its_folder(processor, folder):
    assert record.machine(processor) == folder


def test_what_was_measured_earlier_of_other_networks_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    first = record.write("loop", {"networks": {"MLP": {"ratio": 1}, "ViT": {"ratio": 2}}})
    monkeypatch.setattr(record, "LOAD_AT_START", 77.0)
    second = record.write("loop", {"networks": {"ViT": {"ratio": 3}}})
    assert first == second
    found = json.loads(second.read_text())
    assert {name: about["ratio"] for name, about in found["networks"].items()} == {"MLP": 1, "ViT": 3}
    assert [about["measured"]["load_at_start"] == 77.0 for about in found["networks"].values()] == [False, True]


def test_networks_of_a_file_that_does_not_say_when_keep_its_date(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    path = record.write("loop", {"networks": {"MLP": {"ratio": 1}}})
    old = json.loads(path.read_text())
    del old["networks"]["MLP"]["measured"]
    path.write_text(json.dumps(old | {"date": "2026-11-21", "commit": "8d12d7d"}))
    record.write("loop", {"networks": {"ViT": {"ratio": 2}}})
    found = json.loads(path.read_text())["networks"]
    assert found["MLP"]["measured"]["commit"] == "8d12d7d" != found["ViT"]["measured"]["commit"]


def test_what_was_measured_under_other_settings_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    path = record.write("seeds", {"seeds": 8, "networks": {"MLP": {"ratio": 1}}})
    path.write_text(path.read_text().replace('"date": "', '"date": "of ', 1))
    record.write("seeds", {"seeds": 2, "networks": {"ViT": {"ratio": 2}}})
    assert list(json.loads(path.read_text())["networks"]) == ["ViT"]
    (aside,) = set(path.parent.iterdir()) - {path}
    assert aside.name.startswith("seeds-of ")
    assert list(json.loads(aside.read_text())["networks"]) == ["MLP"]


def test_two_kinds_of_processor_of_one_name_have_two_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    folders = set()
    for instructions in ("AVX2", "AVX-512", None):
        told = {**record.describe_environment(), "processor": "AMD EPYC", "instructions": instructions}
        monkeypatch.setattr(record, "describe_environment", lambda told=told, **_: told)
        folders.add(record.write("loop", {}).parent.name)
    assert folders == {"amd-epyc-avx2", "amd-epyc-avx-512", "amd-epyc"}


def test_a_file_that_does_not_tell_the_instructions_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    path = record.write("loop", {"networks": {"MLP": {"ratio": 1}}})
    old = json.loads(path.read_text())
    del old["environment"]["instructions"]
    path.write_text(json.dumps(old))
    record.write("loop", {"networks": {"ViT": {"ratio": 2}}})
    assert set(json.loads(path.read_text())["networks"]) == {"MLP", "ViT"}


def test_what_is_set_aside_twice_on_a_day_is_there_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    for seeds in (1, 2, 3, 4):
        path = record.write("seeds", {"seeds": seeds, "networks": {"MLP": {"ratio": seeds}}})
    found = {json.loads(each.read_text())["seeds"] for each in path.parent.iterdir()}
    assert found == {1, 2, 3, 4}


def test_a_gpu_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    assert record.write("seeds", {}, processor="NVIDIA H200").parent.name == "nvidia-h200"


def test_peers_are_noted_with_their_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    found = json.loads(record.write("loop", {}, peers=["torch", "no such"]).read_text())
    assert found["environment"]["peers"]["torch"].startswith("2.")
    assert found["environment"]["peers"]["no such"] is None


def test_variants_take_turns_and_the_first_round_is_thrown_away():
    order = []
    times = record.interleaved(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2, clock=lambda: len(order)
    )
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert times == {"a": [1, 1], "b": [1, 1]}
