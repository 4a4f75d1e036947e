import io
import sys

from experiments.runner.progress import Progress, describe


class Terminal(io.StringIO):
    def isatty(self):
        return True


def row(epoch):
    return {"stage": "a", "epoch": epoch, "learning_rate": 0.1, "loss": 0.5, "train_accuracy": 0.91}


def walk(progress, epochs=50, batches=200):
    progress.expect(epochs)
    progress.stage("a")
    for epoch in range(1, epochs + 1):
        tell = progress.epoch_of(batches)
        for _ in range(batches):
            tell(0.25)
        progress.epoch_done("a", row(epoch), epochs)
    progress.close()


def test_a_log_gets_few_lines_and_always_the_last_epoch():
    stream = io.StringIO()
    walk(Progress(stream))
    lines = stream.getvalue().splitlines()
    assert lines[-1] == "a  epoch 50/50  lr 0.1  loss 0.5000  train 91.00 %  0 s left"
    assert len(lines) <= 3  # it took less than two seconds, and a line is due once a second
    assert "\r" not in stream.getvalue()


def test_a_terminal_shows_epochs_and_batches():
    stream = Terminal()
    progress = Progress(stream)
    progress.expect(4, done=1)
    progress.stage("relu 0.1")
    tell = progress.epoch_of(2)
    progress.batches.mininterval = 0
    tell(0.25)
    tell(0.125)
    progress.epoch_done("relu 0.1", row(2), 4)
    progress.say("a word")
    progress.close()
    text = stream.getvalue()
    assert "relu 0.1:  50%" in text
    assert "2/4" in text
    assert "train 91.00 %" in text
    assert "loss 0.1250" in text
    assert "a word\n" in text


def test_a_terminal_is_not_flooded():
    stream = Terminal()
    walk(Progress(stream), epochs=2, batches=20_000)
    assert stream.getvalue().count("\r") < 100


def test_without_tqdm_it_falls_back_to_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    stream = Terminal()
    walk(Progress(stream), epochs=2)
    assert stream.getvalue().splitlines()[-1].startswith("a  epoch 2/2")


def test_what_a_row_says():
    assert describe({**row(1), "validation_accuracy": 0.5, "test_loss": 1.0}) == (
        "lr 0.1  loss 0.5000  train 91.00 %  val 50.00 %  test 1.0000"
    )


def test_a_hundred_columns_are_enough():
    numbers = {f"{part}_{what}": 0.98765 for part in ("train", "validation") for what in ("loss", "accuracy")}
    text = describe({"learning_rate": 0.0125, "loss": 1.23456, **numbers})
    assert len(f"rate 0.5  epoch 9/9  {text}  9 s left") <= 100
    assert len(text) <= 80
