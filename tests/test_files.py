"""Files that people name: whole or not at all, through no planted link, straight into devices."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from taiga_pipeline.files import PUBLIC, CannotWrite, is_stdout, write_text, writing


def leftovers(folder: Path, *known: str) -> list[str]:
    return sorted({path.name for path in folder.iterdir()} - set(known))


def test_a_file_is_private_whoever_could_read_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("old")
    path.chmod(0o644)
    write_text(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_text(path, "numbers", PUBLIC)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert not leftovers(tmp_path, "deals.csv")


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), writing(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert not leftovers(tmp_path, "deals.csv")


@pytest.mark.parametrize("name", ["deals.csv", ".deals.csv.part"])
def test_no_planted_link_is_followed(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / name).symlink_to(victim)
    path = tmp_path / "deals.csv"
    write_text(path, "ours")
    assert victim.read_text() == "theirs"
    assert (path.read_text(), path.is_symlink()) == ("ours", False)


def test_a_link_to_nowhere_makes_no_file_there(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "not-yet")
    write_text(tmp_path / "out", "ours")
    assert not (tmp_path / "not-yet").exists()
    (tmp_path / "again").symlink_to(tmp_path / "not-yet")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "again", "ours", overwrite=False)


def test_a_file_that_is_there_is_kept_where_nothing_may_be_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar.gz"
    path.write_text("old")
    with pytest.raises(FileExistsError):
        write_text(path, "new", overwrite=False)
    assert path.read_text() == "old"
    assert not leftovers(tmp_path, "backup.tar.gz")


def test_one_that_appears_meanwhile_is_kept_as_well(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar.gz"
    with pytest.raises(FileExistsError), writing(path, overwrite=False) as stream:
        stream.write(b"ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert not leftovers(tmp_path, "backup.tar.gz")


def test_a_pipe_is_written_through_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "through")
    reader.join(120)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    write_text(link, "gone")
    assert link.is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_system_that_gives_no_name_afterwards_gets_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*place: object, **how: object) -> None:
        raise PermissionError(1, "not here")

    monkeypatch.setattr("taiga_pipeline.files.os.link", refuse)
    write_text(tmp_path / "deals.csv", "new")
    assert (tmp_path / "deals.csv").read_text() == "new"
    assert not leftovers(tmp_path, "deals.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=f"{tmp_path}: cannot be written: Is a directory; name a"):
        write_text(tmp_path, "x")


@pytest.mark.parametrize("name", ["nowhere/deals.csv", "/dev/full", "x" * 300])
def test_what_cannot_be_written_is_said_with_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(CannotWrite) as raised:
        write_text(path, "x")
    assert str(raised.value).startswith(f"{path}: cannot be written: ")
    assert not leftovers(tmp_path)


def test_what_fails_for_another_reason_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), writing(tmp_path / "deals.csv"):
        raise ConnectionResetError


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("to_file", [True, False])
def test_stdout_is_written_where_it_stands(tmp_path: Path, name: str, to_file: bool) -> None:
    code = (
        "import sys; from pathlib import Path; from taiga_pipeline.files import write_text\n"
        f"print('before'); write_text(Path({name!r}), 'through\\n'); print('after')"
    )
    out = tmp_path / "out"
    with out.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=stream if to_file else subprocess.PIPE,
            check=True,
            timeout=60,
        )
    text = out.read_text() if to_file else done.stdout.decode()
    assert text == "before\nthrough\nafter\n"
    assert Path("/dev/stdout").is_symlink()
    assert is_stdout(Path(name))


def test_a_kill_leaves_neither_the_name_nor_a_part(tmp_path: Path) -> None:
    code = (
        "import time; from pathlib import Path; from taiga_pipeline.files import writing\n"
        f"with writing(Path({str(tmp_path / 'backup')!r}), overwrite=False) as stream:\n"
        "    stream.write(b'half' * 100_000); stream.flush(); print('on it', flush=True)\n"
        "    time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"on it\n"
    process.send_signal(signal.SIGKILL)
    process.wait(120)
    process.stdout.close()
    assert not (tmp_path / "backup").exists()
    if hasattr(os, "O_TMPFILE") and _has_nameless_files(tmp_path):
        assert not leftovers(tmp_path)


def _has_nameless_files(folder: Path) -> bool:
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True
