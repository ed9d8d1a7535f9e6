"""Backups of a cache and of files: saved whole, read to their end, put back."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest
import redis
from tests.support.kinds import a_context

from gonogo.actions.backup import Backup, CheckBackup, Restore
from gonogo.errors import WorkError
from gonogo.plan.kinds import Context, Effect, Observation


def context_of(folder: Path, url: str = "", effect: Effect = Effect.ACTION) -> Context:
    from dataclasses import replace

    base = a_context(folder, targets={"cache": url} if url else {}, effect=effect)
    return replace(base, run_folder=folder / "run")


def look(folder: Path, path: str, url: str = "") -> Observation:
    on = "cache" if url else ""
    return CheckBackup(path=path, on=on).perform(context_of(folder, url, Effect.CHECK))


@pytest.fixture
def cache(valkey: str) -> str:
    with redis.Redis.from_url(valkey) as client:
        client.set("plain", "x")
        client.set("soon", "gone", px=3_600_000)
        client.hset("hash", mapping={"a": "1"})
        client.rpush("list", "1", "2")
        client.zadd("scores", {"b": 2.5})
        for number in range(1200):
            client.set(f"many:{number}", bytes([number % 256]) * 9)
    return valkey


def test_all_keys_come_back_with_their_expiry(cache: str, tmp_path: Path) -> None:
    seen = Backup(on="cache", to="keys.bin").perform(context_of(tmp_path, cache)).indicators
    assert (seen["complete"], seen["tables"]) == (True, 1205)
    assert look(tmp_path, "keys.bin", cache).indicators["problem"] == "none"
    with redis.Redis.from_url(cache) as client:
        client.flushall()
        client.set("stranger", "1")
        back = Restore(on="cache", backup="this run")
        with pytest.raises(WorkError, match="holds 1 keys, expected none"):
            back.perform(context_of(tmp_path, cache))
        back = Restore(on="cache", backup="this run", replace=True)
        kept = back.perform(context_of(tmp_path, cache)).indicators
        assert client.dbsize() == 1205
        assert client.get("many:7") == b"\x07" * 9
        assert client.lrange("list", 0, -1) == [b"1", b"2"]
        assert 0 < client.pttl("soon") <= 3_600_000
        assert client.ttl("plain") == -1
        assert kept["tables"] == 1205
        assert look(tmp_path, str(kept["kept"])).indicators["tables"] == 1


@pytest.mark.parametrize("cut", [5, 400, -3], ids=["head", "middle", "end"])
def test_a_cut_or_changed_file_of_keys_is_found(cache: str, tmp_path: Path, cut: int) -> None:
    Backup(on="cache", to="keys.bin").perform(context_of(tmp_path, cache))
    path = tmp_path / "keys.bin"
    path.with_name("keys.bin.json").unlink()
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    assert look(tmp_path, "keys.bin").indicators["complete"] is False
    path.write_bytes(data[:300] + bytes([data[300] ^ 1]) + data[301:])
    assert look(tmp_path, "keys.bin").indicators["complete"] is False
    with redis.Redis.from_url(cache) as client, pytest.raises(WorkError):
        Restore(on="cache", backup="keys.bin", replace=True).perform(context_of(tmp_path, cache))
    with redis.Redis.from_url(cache) as client:
        assert client.dbsize() == 1205


def test_no_changed_byte_of_a_head_is_believed(cache: str, tmp_path: Path) -> None:
    """A length that was changed may say more than any memory holds: nobody asks for that much."""
    Backup(on="cache", to="keys.bin").perform(context_of(tmp_path, cache))
    path = tmp_path / "keys.bin"
    path.with_name("keys.bin.json").unlink()
    data = path.read_bytes()
    first = len(b"gonogo keys 1\n")
    for place in range(first + 20):  # the first words, two lengths and an expiry
        for change in (0x01, 0x60, 0x80, 0xFF):
            path.write_bytes(data[:place] + bytes([data[place] ^ change]) + data[place + 1 :])
            assert look(tmp_path, "keys.bin").indicators["complete"] is False, (place, change)


@pytest.mark.parametrize("name", ["up.tar", "up.tar.gz"])
def test_files_are_packed_and_read_again(tmp_path: Path, name: str) -> None:
    (tmp_path / "uploads" / "a").mkdir(parents=True)
    (tmp_path / "uploads" / "a" / "one").write_bytes(os.urandom(5000))
    (tmp_path / "uploads" / "two").write_text("2")
    seen = Backup(path="uploads/", to=f"b/{name}").perform(context_of(tmp_path)).indicators
    assert seen["tables"] == 2
    found = look(tmp_path, f"b/{name}").indicators
    assert (found["problem"], found["tables"]) == ("none", 2)
    with tarfile.open(tmp_path / "b" / name) as archive:
        assert "uploads/a/one" in archive.getnames()
    (tmp_path / "b" / f"{name}.json").unlink()
    os.truncate(tmp_path / "b" / name, 1500)
    assert look(tmp_path, f"b/{name}").indicators["complete"] is False


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_damaged_archive_is_found(tmp_path: Path, ending: str) -> None:
    """A head that was hit, an end that is missing and a checksum that is wrong are not the end."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    for name in "abcd":
        (folder / name).write_bytes(name.encode() * 2000)
    path = tmp_path / f"up.{ending}"
    with tarfile.open(path, f"w:{ending[4:]}") as archive:
        archive.add(folder, "uploads")
    with tarfile.open(path) as archive:
        heads = [info.offset + 3 for info in archive.getmembers()]
    data = path.read_bytes()
    assert look(tmp_path, path.name).indicators["problem"] == "none"
    packed = ending != "tar"  # else no byte of a file's own has a checksum in the archive
    for place in range(16, len(data), 7) if packed else heads:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        assert look(tmp_path, path.name).indicators["complete"] is False, place
    for place in range(1, len(data), 11) if packed else [heads[-1] - 3]:
        path.write_bytes(data[:place])
        assert look(tmp_path, path.name).indicators["complete"] is False, place


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="`uploads` is not there"):
        Backup(path="uploads", to="x.tar").perform(context_of(tmp_path))
    assert not list(tmp_path.glob("x*"))


def test_a_packed_text_dump_that_is_cut_off_is_found(tmp_path: Path) -> None:
    text = b"--\n-- PostgreSQL database dump\n--\n" + os.urandom(4000)
    whole = gzip.compress(text + b"\n-- PostgreSQL database dump complete\n")
    (tmp_path / "x.sql.gz").write_bytes(whole)
    assert look(tmp_path, "x.sql.gz").indicators["problem"] == "none"
    (tmp_path / "x.sql.gz").write_bytes(whole[:-400])
    assert "cut off" in str(look(tmp_path, "x.sql.gz").indicators["problem"])
    for place in range(10, len(whole), 37):
        changed = whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :]
        (tmp_path / "x.sql.gz").write_bytes(changed)
        assert look(tmp_path, "x.sql.gz").indicators["complete"] is False, place


def test_the_keys_of_another_cache_replace_nothing(cache: str, tmp_path: Path) -> None:
    Backup(on="cache", to="keys.bin").perform(context_of(tmp_path, cache))
    other = cache.removesuffix("/0").rstrip("/") + "/3"
    with redis.Redis.from_url(other) as client:
        client.set("here", "1")
        work = Restore(on="cache", backup="keys.bin", replace=True)
        with pytest.raises(WorkError, match=r"is of database `.*/0`, expected `.*/3`"):
            work.perform(context_of(tmp_path, other))
        assert client.keys() == [b"here"]
        told = Restore(on="cache", backup="keys.bin", replace=True, source=cache)
        assert "all keys of `" in told.at_stake(context_of(tmp_path, other))
        assert told.perform(context_of(tmp_path, other)).indicators["restored"] is True
        assert client.dbsize() == 1205
