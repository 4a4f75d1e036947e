import pytest

from experiments.runner import files
from experiments.runner.errors import UsageError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")

    def interrupted():
        with files.replacing(path) as file:
            file.write(b"half of the ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with files.replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_files_have_the_usual_permissions(tmp_path):
    files.write_text(tmp_path / "ours", "")
    (tmp_path / "usual").write_text("")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_rows_come_back_as_they_were(tmp_path):
    rows = [{"stage": "relu 0.1", "epoch": 1, "loss": 0.1 + 0.2}, {"stage": "final", "epoch": 2, "rate": 1e-300}]
    files.write_csv(tmp_path / "h.csv", rows)
    assert files.read_csv(tmp_path / "h.csv") == rows


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out: can't write into .*file/below.*: Not a directory"):
        files.writable_folder(tmp_path / "file" / "below")


def test_probing_a_folder_leaves_nothing_in_it(tmp_path):
    assert list(files.writable_folder(tmp_path / "new" / "one").iterdir()) == []
